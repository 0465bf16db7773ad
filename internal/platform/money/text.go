package money

import (
	"errors"
	"strings"
)

// ErrText is returned for a text that is not an amount.
var ErrText = errors.New("money: not an amount")

// Parse reads an amount in major units as a person types it: "20", "20.5", "20,50", "1,250.00", "1.250,00", "1 250", "$
// 20", "20 $".
//
//   - The last point or comma is the decimal separator if at most as many digits follow it as the currency has places,
//     and at least one.
//   - Other separators must form groups of three, and the first group does not begin with 0.
//   - "20.999" in a currency with two places is ErrText: some people mean a digit too many, others twenty thousand.
//   - More places than the currency has, a sign, or anything else is ErrText; a number that is too large is
//     ErrOverflow.
func Parse(text string, c Currency) (Amount, error) {
	text = strings.TrimSpace(text)
	if before, found := strings.CutSuffix(text, "$"); found {
		text = strings.TrimSpace(before)
	} else {
		text = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(text, "US"), "$"))
	}
	text = strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(text)
	places := c.Exponent()
	whole, fraction := text, ""
	if i := strings.LastIndexAny(text, ".,"); i >= 0 {
		after := text[i+1:]
		if len(after) == 0 || len(after) <= places && len(after) != 3 || places == 3 && strings.Count(text, text[i:i+1]) == 1 && len(after) == 3 {
			whole, fraction = text[:i], after
			if strings.Contains(whole, text[i:i+1]) || len(after) == 0 {
				return Amount{}, ErrText
			}
		}
	}
	if places == 2 && fraction == "" && isAmbiguous(whole) {
		return Amount{}, ErrText
	}
	whole, ok := ungroup(whole)
	if !ok || !digits(whole) || fraction != "" && !digits(fraction) {
		return Amount{}, ErrText
	}
	number := whole + fraction + strings.Repeat("0", places-len(fraction))
	var minor int64
	for _, d := range number {
		scaled, err := mul(minor, 10)
		if err != nil {
			return Amount{}, err
		}
		if minor = scaled + int64(d-'0'); minor < 0 {
			return Amount{}, ErrOverflow
		}
	}
	return Amount{minor, c}, nil
}

// isAmbiguous reports whether a number has one point, with three digits after it, and no other separator.
func isAmbiguous(text string) bool {
	before, after, found := strings.Cut(text, ".")
	return found && len(before) <= 3 && len(after) == 3 && digits(before) && digits(after)
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
	group, point, sign := ",", ".", map[Currency]string{"USD": "$", "EUR": "€", "GBP": "£", "CAD": "CA$", "BRL": "R$"}[a.Currency]
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
