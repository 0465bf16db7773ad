package stripefake

import (
	"strconv"
	"strings"
	"time"
)

// testCard describes the behaviour of a card number of docs.stripe.com/testing.
type testCard struct {
	brand, funding string
	decline        *apiError // the error of the decline
	authenticate   bool      // the bank asks the payer to authenticate the first payment
	alwaysAsks     bool      // the bank asks the payer to authenticate each later charge too
	laterFails     bool      // the first payment succeeds, later charges are declined
	disputed       bool      // the payment is disputed at once
}

func declined(code, reason, message string) *apiError {
	return &apiError{status: 402, kind: "card_error", code: code, declineCode: reason, message: message}
}

var testCards = map[string]testCard{
	"4242424242424242": {brand: "visa"},
	"4000056655665556": {brand: "visa", funding: "debit"},
	"5555555555554444": {brand: "mastercard"},
	"5200828282828210": {brand: "mastercard", funding: "debit"},
	"378282246310005":  {brand: "amex"},
	"6011111111111117": {brand: "discover"},
	"4000000000000002": {brand: "visa", decline: declined("card_declined", "generic_decline", "Your card was declined.")},
	"4000000000009995": {brand: "visa", decline: declined("card_declined", "insufficient_funds", "Your card has insufficient funds.")},
	"4000000000009987": {brand: "visa", decline: declined("card_declined", "lost_card", "Your card was declined.")},
	"4000000000009979": {brand: "visa", decline: declined("card_declined", "stolen_card", "Your card was declined.")},
	"4000000000000069": {brand: "visa", decline: declined("expired_card", "", "Your card has expired.")},
	"4000000000000127": {brand: "visa", decline: declined("incorrect_cvc", "", "Your card's security code is incorrect.")},
	"4000000000000119": {brand: "visa", decline: declined("processing_error", "", "An error occurred while processing your card. Try again in a little bit.")},
	"4000002500003155": {brand: "visa", authenticate: true},
	"4000002760003184": {brand: "visa", authenticate: true, alwaysAsks: true},
	"4000000000000341": {brand: "visa", laterFails: true},
	"4000000000000259": {brand: "visa", disputed: true},
}

// Card holds what a payer types on the payment page.
type Card struct{ Number, Exp, CVC, Name string }

// readCard checks a card before the bank is asked. The param of its errors names the form field.
func readCard(in Card, now time.Time) (payer, *apiError) {
	number := strings.NewReplacer(" ", "", "-", "").Replace(in.Number)
	month, year, dated := readExpiry(in.Exp)
	card, known := testCards[number]
	who := payer{name: strings.TrimSpace(in.Name), number: number, month: month, year: year, method: "card", card: card}
	cvcLength := 3
	if card.brand == "amex" {
		cvcLength = 4
	}
	cvc, cvcErr := strconv.ParseUint(in.CVC, 10, 16)
	switch {
	case !luhn(number):
		return who, fieldError("incorrect_number", "card_number", "Your card number is incorrect.")
	case !dated:
		return who, fieldError("invalid_expiry", "exp", "Your card's expiration date is invalid.")
	case year < int64(now.Year()) || (year == int64(now.Year()) && month < int64(now.Month())):
		return who, fieldError("invalid_expiry_past", "exp", "Your card's expiration date is in the past.")
	case cvcErr != nil || cvc > 9999 || len(in.CVC) != cvcLength:
		return who, fieldError("invalid_cvc", "cvc", "Your card's security code is invalid.")
	case !known:
		return who, declined("card_declined", "test_mode_live_card", "Your card was declined. Your request was in "+
			"test mode, but used a non test card. For a list of valid test cards, visit: https://stripe.com/docs/testing.")
	}
	return who, nil
}

func fieldError(code, field, message string) *apiError {
	return &apiError{status: 402, kind: "card_error", code: code, param: field, message: message}
}

// luhn reports whether the number has the length of a card number and a correct check digit (ISO/IEC 7812-1).
func luhn(number string) bool {
	if len(number) < 13 || len(number) > 19 {
		return false
	}
	sum := 0
	for i, r := range number {
		d := int(r - '0')
		if d < 0 || d > 9 {
			return false
		}
		if (len(number)-i)%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// readExpiry parses "12/34", "1234" and "12 / 2034".
func readExpiry(s string) (month, year int64, ok bool) {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
	if len(digits) != 4 && len(digits) != 6 {
		return 0, 0, false
	}
	month, _ = strconv.ParseInt(digits[:2], 10, 64)
	year, _ = strconv.ParseInt(digits[2:], 10, 64)
	if len(digits) == 4 {
		year += 2000
	}
	return month, year, month >= 1 && month <= 12
}
