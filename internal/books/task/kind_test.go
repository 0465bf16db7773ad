package task

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRegisterRefuses(t *testing.T) {
	good := *kindForTest(t, Link{Object: Payment})
	for name, spoil := range map[string]func(k *Kind){
		"a code that is taken":  func(*Kind) {},
		"no code":               func(k *Kind) { k.Code = "" },
		"a code with capitals":  func(k *Kind) { k.Code = "Payout" },
		"an unknown severity":   func(k *Kind) { k.Code, k.Severity = "other", "soon" },
		"no audience":           func(k *Kind) { k.Code, k.For = "other", "" },
		"no way of closing":     func(k *Kind) { k.Code, k.Closes = "other", "" },
		"a link without object": func(k *Kind) { k.Code, k.Link = "other", Link{Detail: "donation"} },
	} {
		t.Run(name, func(t *testing.T) {
			k := good
			spoil(&k)
			require.Panics(t, func() { Register(k) })
		})
	}
	require.Equal(t, []*Kind{Find(good.Code)}, Kinds())
	require.Nil(t, Find("other"))
}

func TestTargetOfATask(t *testing.T) {
	for _, test := range []struct {
		link Link
		want string
	}{
		{Link{Object: Payment}, "pi_1"}, {Link{Object: Payment, Detail: "charge"}, "ch_1"}, {Link{Object: Payment, Detail: "refund"}, ""},
	} {
		t.Run(test.link.Detail, func(t *testing.T) {
			s := Stored{Code: kindForTest(t, test.link).Code, Subject: "pi_1", Detail: map[string]string{"charge": "ch_1"}}
			object, id := s.Target()
			require.Equal(t, Payment, object)
			require.Equal(t, test.want, id)
		})
	}
}
