package guard

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/keyring"
)

func TestAddressAndNetworkKeys(t *testing.T) {
	for _, c := range []struct{ address, one, network string }{
		{"203.0.113.77", "203.0.113.77/32", "203.0.113.0/24"},
		{"::ffff:203.0.113.77", "203.0.113.77/32", "203.0.113.0/24"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"},
		{"2001:db8:1:2:ffff::1%eth0", "2001:db8:1:2::/64", "2001:db8:1::/48"},
	} {
		t.Run(c.address, func(t *testing.T) {
			require.Equal(t, c.one, AddressKey(netip.MustParseAddr(c.address)))
			require.Equal(t, c.network, NetworkKey(netip.MustParseAddr(c.address)))
		})
	}
	require.Equal(t, "unknown", AddressKey(netip.Addr{}))
}

func TestCountersAreKeyed(t *testing.T) {
	l := Standard().Address
	of := func(secret string) *Guard { return New(nil, keyring.New([]byte(secret)), Limits{}, time.Now) }
	one := of("one").counterKey("address", "203.0.113.77/32", l)
	require.Len(t, one, 16)
	require.NotContains(t, string(one), "203")
	require.NotEqual(t, one, of("two").counterKey("address", "203.0.113.77/32", l), "an address cannot be found without the key")
	require.NotEqual(t, one, of("one").counterKey("network", "203.0.113.77/32", l))
	require.NotEqual(t, one, of("one").counterKey("address", "203.0.113.77/32", Limit{5, time.Hour}), "counts of another window do not mix")
}

func TestFormTokens(t *testing.T) {
	g := New(nil, keyring.New([]byte("secret")), Limits{}, time.Now)
	id, at := uuid.New(), time.UnixMilli(1_800_000_000_123)
	token := g.FormToken(id, at)

	form, shown, err := g.ParseFormToken(token)
	require.NoError(t, err)
	require.Equal(t, id, form)
	require.True(t, at.Equal(shown))

	other := New(nil, keyring.New([]byte("other")), Limits{}, time.Now)
	for name, forged := range map[string]string{
		"bare":             id.String(),
		"of another key":   other.FormToken(id, at),
		"shown earlier":    id.String() + ".1" + token[len(id.String())+2:],
		"without a stamp":  id.String() + ".",
		"of another form":  uuid.NewString() + token[len(id.String()):],
		"with a long tail": token + "x",
	} {
		t.Run(name, func(t *testing.T) {
			form, shown, err := g.ParseFormToken(forged)
			require.NoError(t, err)
			require.NotEqual(t, uuid.Nil, form)
			require.True(t, shown.IsZero())
		})
	}
	for _, nothing := range []string{"", "x", "x." + token} {
		_, _, err := g.ParseFormToken(nothing)
		require.Error(t, err)
	}
}
