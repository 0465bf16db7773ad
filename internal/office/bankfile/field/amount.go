package field

import (
	"errors"
	"strings"

	"konbit/internal/platform/clean"
	"konbit/internal/platform/money"
)

// Errors of Amount.
var (
	ErrAmount    = errors.New("field: not an amount")
	ErrPlaces    = errors.New("field: more decimal places than the currency has")
	ErrAmbiguous = errors.New("field: decimals or thousands")
	ErrRange     = errors.New("field: amount out of range")
)

// largest is the largest amount of a line or a balance, in minor units. The sum of a file's lines cannot overflow.
const largest = 10_000_000_000_000

// Amount reads a decimal number as banks write it and returns its minor units:
//
//   - A minus stands before or after it, or the number stands in parentheses; DR or CR may follow.
//   - The currency's sign or code may stand before or after it. With another currency's the error is ErrAmount.
//   - sign is the decimal sign, '.' or ','; 0 if only the number itself shows it. A number with one separator and three
//     digits after it does not show it: ErrAmbiguous.
//   - Other separators must form groups of three digits.
//   - More decimals than the currency has must be zeros, or the error is ErrPlaces.
func Amount(text string, sign byte, currency money.Currency) (int64, error) {
	number, negative, ok := unsigned(text, currency)
	if !ok {
		return 0, ErrAmount
	}
	whole, fraction, err := divide(number, sign, currency.Exponent())
	if err != nil {
		return 0, err
	}
	places := currency.Exponent()
	if len(fraction) > places {
		if strings.Trim(fraction[places:], "0") != "" {
			return 0, ErrPlaces
		}
		fraction = fraction[:places]
	}
	minor, err := digitsOf(whole + fraction + strings.Repeat("0", places-len(fraction)))
	if negative {
		minor = -minor
	}
	return minor, err
}

// Minor reads a whole number of minor units, with a sign or none.
func Minor(text string) (int64, error) {
	number, negative := strings.CutPrefix(text, "-")
	if !negative {
		number = strings.TrimPrefix(number, "+")
	}
	if !isDigits(number) {
		return 0, ErrAmount
	}
	minor, err := digitsOf(number)
	if negative {
		minor = -minor
	}
	return minor, err
}

func digitsOf(digits string) (minor int64, err error) {
	for _, d := range digits {
		if minor = minor*10 + int64(d-'0'); minor > largest {
			return 0, ErrRange
		}
	}
	return minor, nil
}

// LooksLikeAmount reports whether a text is an amount, whatever its currency and its decimal sign.
func LooksLikeAmount(text string) bool {
	if !strings.ContainsAny(text, "0123456789") || len(text) > 40 {
		return false
	}
	number, _, ok := unsigned(text, "USD")
	if !ok {
		return false
	}
	_, _, err := divide(number, 0, 2)
	return err == nil || errors.Is(err, ErrAmbiguous)
}

// signs are the marks of currencies. A dollar may have letters before its sign.
var signs = []string{"US$", "R$", "RD$", "CA$", "$", "€", "£"}

// unsigned returns the number of a text without its sign and its currency.
func unsigned(text string, currency money.Currency) (number string, negative, ok bool) {
	number = strings.TrimSpace(text)
	if strings.Trim(number, "0123456789.,-") != "" {
		number = strings.ToUpper(clean.Code(number))
	}
	if inner, open := strings.CutPrefix(number, "("); open {
		if number, ok = strings.CutSuffix(inner, ")"); !ok {
			return "", false, false
		}
		negative = true
	}
	signed, marked, credit := negative, false, false
	for range 4 { // a sign, a currency, CR or DR, in any order
		before := number
		number = strings.TrimSpace(number)
		if rest, found := cutEither(number, "-"); found && !signed {
			number, negative, signed = rest, true, true
		} else if rest, found := cutEither(number, "+"); found && !signed {
			number, signed = rest, true
		}
		if rest, found := strings.CutSuffix(number, "DR"); found && !credit {
			number, negative, credit = rest, !negative, true
		} else if rest, found := strings.CutSuffix(number, "CR"); found && !credit {
			number, credit = rest, true
		}
		for _, mark := range append([]string{string(currency)}, signs...) {
			if rest, found := cutEither(number, mark); found && !marked && mark != "" {
				number, marked = rest, true
			}
		}
		if number == before {
			break
		}
	}
	return number, negative, number != ""
}

func cutEither(text, mark string) (string, bool) {
	if rest, found := strings.CutPrefix(text, mark); found {
		return rest, true
	}
	return strings.CutSuffix(text, mark)
}

// divide returns the whole digits and the decimals of a number.
func divide(number string, sign byte, places int) (whole, fraction string, err error) {
	if sign == 0 {
		if sign = shown(number, places); sign == 0 && strings.Count(number, ".")+strings.Count(number, ",") == 1 {
			return "", "", ErrAmbiguous
		}
	}
	whole = number
	if i := strings.LastIndexByte(number, sign); sign != 0 && i >= 0 {
		whole, fraction = number[:i], number[i+1:]
		if strings.IndexByte(whole, sign) >= 0 || fraction != "" && !isDigits(fraction) {
			return "", "", ErrAmount
		}
	}
	if whole == "" && fraction != "" {
		whole = "0"
	}
	whole, ok := ungroup(whole)
	if !ok {
		return "", "", ErrAmount
	}
	return whole, fraction, nil
}

// shown returns the decimal sign that a number shows, 0 if it shows none: the last of two signs, or the only one unless
// three digits follow it.
func shown(number string, places int) byte {
	point, comma := strings.LastIndexByte(number, '.'), strings.LastIndexByte(number, ',')
	last := max(point, comma)
	switch {
	case last < 0:
		return 0
	case point >= 0 && comma >= 0:
		return number[last]
	case strings.IndexByte(number, number[last]) != last:
		return 0 // groups
	case len(number)-last-1 == 3 && last <= 3 && last > 0 && number[0] != '0' && places != 3:
		return 0
	default:
		return number[last]
	}
}

// DecimalSign returns the decimal sign that the numbers of a file show together, 0 if they show none or both.
func DecimalSign(numbers []string) byte {
	var seen byte
	for _, text := range numbers {
		number, _, ok := unsigned(text, "USD")
		if !ok {
			continue
		}
		one := shown(number, 2)
		switch {
		case one != 0:
		case strings.Count(number, ",") > 1:
			one = '.'
		case strings.Count(number, ".") > 1:
			one = ','
		default:
			continue
		}
		if seen != 0 && seen != one {
			return 0
		}
		seen = one
	}
	return seen
}

// ungroup removes one kind of separator that stands between groups of three digits.
func ungroup(whole string) (string, bool) {
	i := strings.IndexAny(whole, ".,' ’")
	if i < 0 {
		return whole, isDigits(whole)
	}
	separator := whole[i : i+1]
	if strings.HasPrefix(whole[i:], "’") {
		separator = "’"
	}
	groups := strings.Split(whole, separator)
	for n, group := range groups {
		if !isDigits(group) || n == 0 && len(group) > 3 || n > 0 && len(group) != 3 {
			return "", false
		}
	}
	return strings.Join(groups, ""), true
}

func isDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}
