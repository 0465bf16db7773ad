package money

import (
	"errors"
	"strings"
)

// ErrText is a text that is not an amount.
var ErrText = errors.New("money: not an amount")

// Parse reads an amount in major units as a person types it: "20", "20.5", "20,50", "1,250.00",
// "1.250,00", "1 250", "$ 20", "20 $". The last point or comma is the decimal one when it stands before one or as
// many digits as the currency has places; other separators must group by three, behind no leading zero. More
// places than the currency has, a sign, or anything else is ErrText; so is "20.999" in a currency with two
// places, which is a digit too many to some and a thousandfold to others. A number too large is ErrOverflow.
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
	if places == 2 && fraction == "" && unsure(whole) {
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

// unsure tells whether a number has one point, before three digits, and nothing else that groups.
func unsure(text string) bool {
	before, after, found := strings.Cut(text, ".")
	return found && len(before) <= 3 && len(after) == 3 && digits(before) && digits(after)
}

// ungroup drops one kind of thousands separator, if it stands exactly between groups of three.
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

// Format writes a as people who read the language (a BCP 47 base language) write it, whole amounts
// without decimals: "$1,250" and "$20.50" in en, es and ht (as in the United States), "US$ 1.250" and
// "US$ 20,50" in pt. Currencies without a well-known sign in our typefaces are written by their code.
// x/text formats es and pt wrongly for this use, hence the small table.
func (a Amount) Format(lang string) string {
	return a.format(lang, a.Minor%pow10(a.Currency.Exponent()) != 0)
}

// FormatExact is Format with the decimals always written, as on receipts: "$20.00".
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
