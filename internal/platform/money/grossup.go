package money

import (
	"errors"
	"math/bits"
)

// GrossUp is the smallest total that leaves all of a once a fee of points ten-thousandths of the total and
// fixed minor units on top is taken from it: ⌈(a + fixed) · 10000 / (10000 − points)⌉. The arithmetic is
// exact. The fee may be rounded up to the minor unit without touching a, since what is above a is whole
// minor units too. a, points and fixed are zero or more, and points less than 10000: a fee of everything
// leaves nothing however much is added.
func (a Amount) GrossUp(points, fixed int64) (Amount, error) {
	const whole = 10_000
	if a.Minor < 0 || fixed < 0 || points < 0 || points >= whole {
		return Amount{}, errors.New("money: no total can leave that after such a fee")
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
