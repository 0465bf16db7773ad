package money

import (
	"errors"
	"fmt"
	"strings"

	"konbit/internal/platform/clean"
)

// ErrText is returned for a text that is not an amount.
var ErrText = errors.New("money: not an amount")

// ErrOtherCurrency is the error of Parse for an amount in another currency. It is one of ErrText.
var ErrOtherCurrency = fmt.Errorf("%w of this currency", ErrText)

// AmbiguousError is the error of a text that has two readings in the number format of its page. Some people who write
// 1.250 mean twelve hundred and fifty, others one and a quarter.
type AmbiguousError struct{ Large, Small Amount }

func (e *AmbiguousError) Error() string { return fmt.Sprintf("money: %s or %s", e.Large, e.Small) }

// Unwrap makes the error one of ErrText.
func (e *AmbiguousError) Unwrap() error { return ErrText }

// Parse reads an amount in major units as a person types or pastes it on a page of the language (a BCP 47 base
// language): "20", "20.5", "20,50", "1,250.00", "1.250,00", "1 250", "$ 20", "20 USD", "$20.00 USD", "20 dollars", "20.", ".5".
//
//   - The currency's code, its sign and, of dollars, its name may stand before or after the number. With the sign or
//     the name of another currency in place of dollars the error is ErrOtherCurrency.
//   - The last point or comma is the decimal separator if at most as many digits follow it as the currency has places.
//   - Other separators must form groups of three, and the first group does not begin with 0.
//   - One separator with three digits after it is a group where the language writes groups so (see Format): 1,250 in
//     English, 1.250 in Portuguese. The other one is an AmbiguousError.
//   - More places than the currency has, a sign, or anything else is ErrText; a number that is too large is
//     ErrOverflow.
func Parse(text string, c Currency, lang string) (Amount, error) {
	number := withoutCurrency(clean.Code(text), c)
	if n := len(number); n > 1 && (number[n-1] == '.' || number[n-1] == ',') {
		number = number[:n-1]
	}
	if c == "USD" && otherCurrencies[strings.Trim(strings.ToUpper(clean.Code(text)), "0123456789.,' ")] {
		return Amount{}, ErrOtherCurrency
	}
	if large, small, two := readings(number, c.Exponent(), lang); two {
		return Amount{}, ambiguous(large, small, c)
	}
	places := c.Exponent()
	whole, fraction := number, ""
	if i := strings.LastIndexAny(number, ".,"); i >= 0 && isFraction(number, i, places) {
		whole, fraction = number[:i], number[i+1:]
		if strings.Contains(whole, number[i:i+1]) {
			return Amount{}, ErrText
		}
		if whole == "" {
			whole = "0"
		}
	}
	whole, ok := ungroup(whole)
	if !ok || !digits(whole) || fraction != "" && !digits(fraction) {
		return Amount{}, ErrText
	}
	minor, err := minorUnits(whole + fraction + strings.Repeat("0", places-len(fraction)))
	if err != nil {
		return Amount{}, err
	}
	return Amount{minor, c}, nil
}

// withoutCurrency returns a text without the code and the sign of its currency, each at most once, in capitals.
func withoutCurrency(text string, c Currency) string {
	text = strings.ToUpper(text)
	marks := []string{string(c), signs[c]}
	if c == "USD" {
		text = withoutName(text)
		marks = []string{"USD", "US$", "$US"}
	}
	for _, mark := range marks {
		text = withoutMark(text, mark)
	}
	if c == "USD" && !strings.Contains(text, "US") {
		text = withoutMark(text, "$")
	}
	return text
}

// dollars are the names of the dollar, in capitals, in the languages of the pages.
var dollars = map[string]bool{
	"DOLLAR": true, "DOLLARS": true, "DÓLAR": true, "DÓLARES": true, "DOLAR": true, "DOLARES": true, "DOLA": true,
}

// otherCurrencies are signs, names and codes, in capitals, of other currencies that donors use.
var otherCurrencies = map[string]bool{
	"€": true, "EUR": true, "EURO": true, "EUROS": true, "£": true, "GBP": true, "POUND": true, "POUNDS": true,
	"R$": true, "BRL": true, "REAL": true, "REAIS": true, "REALES": true, "CA$": true, "C$": true, "CAD": true,
	"G": true, "HTG": true, "GOUD": true, "GOURDE": true, "GOURDES": true, "MX$": true, "MXN": true, "RD$": true, "DOP": true,
	"PESO": true, "PESOS": true, "COP": true, "CLP": true, "ARS": true, "₱": true, "¥": true, "JPY": true,
}

// withoutName returns a text in capitals without a name of the dollar after its number.
func withoutName(text string) string {
	i := strings.LastIndexAny(text, "0123456789.,$ ") + 1
	if i > 0 && dollars[text[i:]] {
		return strings.TrimSpace(text[:i])
	}
	return text
}

// withoutMark returns a text without a mark before or after it.
func withoutMark(text, mark string) string {
	if mark == "" {
		return text
	}
	if after, found := strings.CutPrefix(text, mark); found {
		return strings.TrimSpace(after)
	}
	return strings.TrimSpace(strings.TrimSuffix(text, mark))
}

// isFraction reports whether the separator at i of a number is the decimal separator of a currency with places.
func isFraction(number string, i, places int) bool {
	after := len(number) - i - 1
	if after == 3 {
		return places == 3 && strings.Count(number, number[i:i+1]) == 1
	}
	return after > 0 && after <= places
}

// readings returns the two numbers, without separators and with two places, that a number with one separator and three
// digits after it may be, where the language does not write groups with that separator. Currencies of two places only:
// with none it is a group, with three a fraction.
func readings(number string, places int, lang string) (large, small string, two bool) {
	group := ","
	if lang == "pt" {
		group = "."
	}
	i := strings.IndexAny(number, ".,")
	if places != 2 || i < 1 || i > 3 || len(number)-i != 4 || number[i:i+1] == group {
		return "", "", false
	}
	before, after := number[:i], number[i+1:]
	if !digits(before) || !digits(after) || before[0] == '0' {
		return "", "", false
	}
	return before + after + "00", before + after[:2], true
}

func ambiguous(large, small string, c Currency) error {
	first, err := minorUnits(large)
	if err != nil {
		return err
	}
	second, err := minorUnits(small)
	if err != nil {
		return err
	}
	return &AmbiguousError{Large: Amount{first, c}, Small: Amount{second, c}}
}

// minorUnits returns the value of decimal digits, or ErrOverflow.
func minorUnits(number string) (int64, error) {
	var minor int64
	for _, d := range number {
		scaled, err := mul(minor, 10)
		if err != nil {
			return 0, err
		}
		if minor = scaled + int64(d-'0'); minor < 0 {
			return 0, ErrOverflow
		}
	}
	return minor, nil
}

// ungroup removes one kind of thousands separator, if it stands exactly between groups of three digits.
func ungroup(whole string) (string, bool) {
	i := strings.IndexAny(whole, ".,' ")
	if i < 0 {
		return whole, true
	}
	groups := strings.Split(whole, whole[i:i+1])
	for n, g := range groups {
		if n == 0 && (len(g) == 0 || len(g) > 3 || g[0] == '0') || n > 0 && len(g) != 3 {
			return "", false
		}
	}
	return strings.Join(groups, ""), true
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// signs are the signs of currencies that are well known and in our typefaces.
var signs = map[Currency]string{"USD": "$", "EUR": "€", "GBP": "£", "CAD": "CA$", "BRL": "R$"}

// Format returns the amount as readers of the language (a BCP 47 base language) write it, whole amounts without
// decimals:
//
//   - en, es, ht: "$1,250" and "$20.50", as in the United States
//   - pt: "US$ 1.250" and "US$ 20,50"
//
// A currency whose sign is not well known in our typefaces is written by its code. x/text formats es and pt wrongly for
// this use, so there is a small table.
func (a Amount) Format(lang string) string {
	return a.format(lang, a.Minor%pow10(a.Currency.Exponent()) != 0)
}

// FormatExact is Format that always writes the decimals, as on receipts: "$20.00".
func (a Amount) FormatExact(lang string) string { return a.format(lang, true) }

func (a Amount) format(lang string, decimals bool) string {
	group, point, sign := ",", ".", signs[a.Currency]
	if lang == "pt" {
		group, point = ".", ","
		if a.Currency == "USD" {
			sign = "US$"
		}
	}
	if sign == "" {
		sign = string(a.Currency)
	}
	if lang == "pt" || len(sign) == 3 && sign == string(a.Currency) {
		sign += "\u00a0"
	}
	places := a.Currency.Exponent()
	number := strings.TrimPrefix(Amount{a.Minor, a.Currency}.Decimal(), "-")
	whole, fraction, _ := strings.Cut(number, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + group + whole[i:]
	}
	if decimals && places > 0 {
		whole += point + fraction
	}
	if a.Minor < 0 {
		return "−" + sign + whole
	}
	return sign + whole
}
