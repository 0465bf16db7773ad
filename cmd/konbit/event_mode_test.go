package main

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/platform/guard"
)

func TestGuardSettings(t *testing.T) {
	c, err := readConfig(map[string]string{"TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8,::1", "GIVE_LIMITS": "address=3/1h min_fill_time=off"})
	require.NoError(t, err)
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}, c.TrustedProxies)
	want := guard.Standard()
	want.Address, want.MinFillTime = guard.Limit{Max: 3, Window: time.Hour}, 0
	require.Equal(t, want, c.GiveLimits)

	_, err = readConfig(map[string]string{"TRUSTED_PROXIES": "10.0.0.0/8, nginx", "GIVE_LIMITS": "adress=3/1h"})
	require.ErrorContains(t, err, `TRUSTED_PROXIES contains "nginx": want addresses or networks such as`)
	require.ErrorContains(t, err, `GIVE_LIMITS cannot be read: "adress=3/1h": want one of address`)
}

func TestOldLimitNamesWarn(t *testing.T) {
	c, err := readConfig(map[string]string{"GIVE_LIMITS": "shown=off waits=5/10m"})
	require.NoError(t, err)
	require.Zero(t, c.GiveLimits.MinFillTime)
	require.Equal(t, []string{
		"GIVE_LIMITS: shown is now called min_fill_time; the old name will be removed",
		"GIVE_LIMITS: waits is now called no_js_waits; the old name will be removed",
	}, c.warnings())
}

// TestExampleShowsTheStandardLimits: .env.example has the limits that apply if the setting is absent.
func TestExampleShowsTheStandardLimits(t *testing.T) {
	c, err := readConfig(example(t))
	require.NoError(t, err)
	require.Equal(t, guard.Standard(), c.GiveLimits)
	for _, limit := range []guard.Limit{c.GiveLimits.Address, c.GiveLimits.Email, c.GiveLimits.NoJSWaits} {
		require.Contains(t, example(t)["GIVE_LIMITS"], "="+limit.String())
	}
}

func TestHTTPSRequiresTrustedProxies(t *testing.T) {
	for base, ill := range map[string]bool{"https://give.example.org": true, "http://127.0.0.1:8080": false, "": false} {
		t.Run("BASE_URL="+base, func(t *testing.T) {
			c, err := readConfig(map[string]string{"BASE_URL": base})
			require.NoError(t, err)
			require.Equal(t, ill, c.CheckProxies() != nil)
			c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
			require.NoError(t, c.CheckProxies())
		})
	}
}
