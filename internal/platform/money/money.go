// Package money holds amounts as whole minor units of a currency, never as floats.
//
// Arithmetic is checked: an overflow or a mix of currencies is an error, not a wrong number.
package money

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// Currency is an ISO 4217 code in capitals.
type Currency string

// Errors of arithmetic.
var (
	ErrOverflow = errors.New("money: amount out of range")
	ErrCurrency = errors.New("money: amounts of different currencies")
)

// Exponent returns the number of decimal places of the currency's minor unit as Stripe counts them
// (https://docs.stripe.com/currencies). It differs from ISO 4217 where Stripe says so: ISK and UGX have no decimals in
// ISO 4217 and two in Stripe's API.
func (c Currency) Exponent() int {
	switch c {
	case "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "JOD", "KWD", "OMR", "TND":
		return 3
	default:
		return 2
	}
}

// Valid reports whether c has the form of a currency code.
func (c Currency) Valid() bool {
	return len(c) == 3 && strings.Trim(string(c), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// Amount is a number of minor units (cents for USD) of one currency.
type Amount struct {
	Minor    int64    `json:"minor"`
	Currency Currency `json:"currency"`
}

// New returns an amount of minor units of c.
func New(minor int64, c Currency) Amount { return Amount{Minor: minor, Currency: c} }

// Major returns an amount of whole major units of c: Major(20, "USD") is $20.
func Major(units int64, c Currency) (Amount, error) {
	minor, err := mul(units, pow10(c.Exponent()))
	return Amount{minor, c}, err
}

// Add returns a + b.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, fmt.Errorf("%w: %s and %s", ErrCurrency, a.Currency, b.Currency)
	}
	sum := a.Minor + b.Minor
	if (sum > a.Minor) != (b.Minor > 0) && b.Minor != 0 {
		return Amount{}, ErrOverflow
	}
	return Amount{sum, a.Currency}, nil
}

// Sub returns a − b.
func (a Amount) Sub(b Amount) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, fmt.Errorf("%w: %s and %s", ErrCurrency, a.Currency, b.Currency)
	}
	difference := a.Minor - b.Minor
	if (difference < a.Minor) != (b.Minor > 0) && b.Minor != 0 {
		return Amount{}, ErrOverflow
	}
	return Amount{difference, a.Currency}, nil
}

// Neg returns −a.
func (a Amount) Neg() (Amount, error) { return Amount{0, a.Currency}.Sub(a) }

// IsZero reports whether the amount is 0.
func (a Amount) IsZero() bool { return a.Minor == 0 }

// BasisPoints returns points ten-thousandths of a, rounded half away from zero.
func (a Amount) BasisPoints(points int64) (Amount, error) {
	minor, err := mulDiv(a.Minor, points, 10_000)
	return Amount{minor, a.Currency}, err
}

// Split divides a in proportion to the weights by the largest-remainder method. The parts sum to a exactly. Each
// remaining minor unit goes to the part with the largest remainder, on a tie to the first of them, so the same input
// always gives the same parts. Weights are zero or more, and not all zero.
func (a Amount) Split(weights []int64) ([]Amount, error) {
	var total int64
	for _, w := range weights {
		if w < 0 {
			return nil, errors.New("money: a negative weight")
		}
		if total += w; total < 0 {
			return nil, ErrOverflow
		}
	}
	if total == 0 {
		return nil, errors.New("money: nothing to split by")
	}
	if a.Minor == math.MinInt64 {
		return nil, ErrOverflow
	}
	sign, size := int64(1), a.Minor
	if size < 0 {
		sign, size = -1, -size
	}
	parts := make([]Amount, len(weights))
	remainders := make([]uint64, len(weights))
	left := size
	for i, w := range weights {
		hi, lo := bits.Mul64(uint64(size), uint64(w))
		quotient, remainder := bits.Div64(hi, lo, uint64(total)) // hi < total because w <= total
		parts[i] = Amount{int64(quotient), a.Currency}
		remainders[i] = remainder
		left -= int64(quotient)
	}
	for ; left > 0; left-- {
		best := 0
		for i, r := range remainders {
			if r > remainders[best] {
				best = i
			}
		}
		parts[best].Minor++
		remainders[best] = 0
	}
	for i := range parts {
		parts[i].Minor *= sign
	}
	return parts, nil
}

// Decimal returns the number with a decimal point, without currency and grouping: "20.00", "-0.05", "500" for JPY.
func (a Amount) Decimal() string {
	places := a.Currency.Exponent()
	digits := fmt.Sprintf("%0*d", places+1, magnitude(a.Minor))
	text := digits
	if places > 0 {
		text = digits[:len(digits)-places] + "." + digits[len(digits)-places:]
	}
	if a.Minor < 0 {
		return "-" + text
	}
	return text
}

// String returns the amount for logs and tests: "20.00 USD".
func (a Amount) String() string { return a.Decimal() + " " + string(a.Currency) }

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

func pow10(places int) int64 {
	n := int64(1)
	for range places {
		n *= 10
	}
	return n
}

func mul(a, b int64) (int64, error) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	if hi != 0 {
		return 0, ErrOverflow
	}
	return signed(lo, (a < 0) != (b < 0))
}

// signed returns size, or −size if negative.
func signed(size uint64, negative bool) (int64, error) {
	switch {
	case negative && size <= 1<<63:
		return int64(-size), nil
	case size > math.MaxInt64:
		return 0, ErrOverflow
	default:
		return int64(size), nil
	}
}

// mulDiv returns a·b/d, rounded half away from zero, without overflow between the steps; d > 0.
func mulDiv(a, b, d int64) (int64, error) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	lo, carry := bits.Add64(lo, uint64(d)/2, 0)
	hi += carry
	if hi >= uint64(d) {
		return 0, ErrOverflow
	}
	quotient, _ := bits.Div64(hi, lo, uint64(d))
	return signed(quotient, (a < 0) != (b < 0))
}
