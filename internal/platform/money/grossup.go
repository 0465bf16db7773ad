package money

import (
	"errors"
	"math/bits"
)

// GrossUp returns the smallest total that leaves all of a after a fee is taken from the total. The fee is points basis
// points of the total plus fixed minor units:
//
//	total = ⌈(a + fixed) · 10000 / (10000 − points)⌉
//
// The arithmetic is exact. A fee that is rounded up to the minor unit does not take from a, because the difference
// between total and a is a whole number of minor units too. a, points and fixed are zero or more, and points is less
// than 10000: after a fee of the whole total, nothing is left.
func (a Amount) GrossUp(points, fixed int64) (Amount, error) {
	const whole = 10_000
	if a.Minor < 0 || fixed < 0 || points < 0 || points >= whole {
		return Amount{}, errors.New("money: no total leaves the amount after this fee")
	}
	net, err := a.Add(Amount{fixed, a.Currency})
	if err != nil {
		return Amount{}, err
	}
	left := uint64(whole - points)
	hi, lo := bits.Mul64(uint64(net.Minor), whole)
	lo, carry := bits.Add64(lo, left-1, 0)
	if hi += carry; hi >= left {
		return Amount{}, ErrOverflow
	}
	total, _ := bits.Div64(hi, lo, left)
	if int64(total) < 0 {
		return Amount{}, ErrOverflow
	}
	return Amount{int64(total), a.Currency}, nil
}
