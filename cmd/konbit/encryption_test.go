package main

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// own returns the settings of .env.example with secrets of one's own.
func own(t *testing.T) map[string]string {
	t.Helper()
	env := example(t)
	env["SECRET_KEY"], env["DATABASE_URL"] = fmt.Sprintf("%x", sha256.Sum256([]byte("own"))), "postgres://konbit_server:x@localhost/konbit"
	env["STRIPE_SECRET_KEY_TSNE"], env["STRIPE_WEBHOOK_SECRET_TSNE"] = "sk_test_1", "whsec_1"
	return env
}

// TestPagesNeedHTTPS: cookies and what donors type are encrypted on the way, unless the server is a trial.
func TestPagesNeedHTTPS(t *testing.T) {
	for _, c := range []struct {
		base, standIn string
		refused       bool
	}{
		{"http://give.example.org", "", true}, {"http://192.0.2.7:8080", "", true}, {"http://127.0.0.1.example.org", "", true},
		{"https://give.example.org", "", false}, {"http://localhost:8080", "", false}, {"http://127.0.0.1:8080", "", false}, {"http://[::1]:8080", "", false},
		{"http://192.0.2.7:8080", "http://127.0.0.1:8081", false},
	} {
		t.Run(c.base+" "+c.standIn, func(t *testing.T) {
			env := own(t)
			env["BASE_URL"], env["STRIPE_API_URL"] = c.base, c.standIn
			_, err := readConfig(env, serveNeeds...)
			if c.refused {
				require.ErrorContains(t, err, "BASE_URL is "+c.base+": donors' pages need https")
			} else {
				require.NoError(t, err)
			}
			_, err = readConfig(env)
			require.NoError(t, err, "commands that serve nothing do not care")
		})
	}
}

// TestDatabaseConnectionsAreEncryptedByDecision: to another machine, the address says how.
func TestDatabaseConnectionsAreEncryptedByDecision(t *testing.T) {
	const verified, warned, refused = "verified", "warned of", "refused"
	for address, want := range map[string]string{
		"postgres://s:x@localhost/konbit": verified, "postgres://s:x@127.0.0.1:5433/konbit": verified, "postgres://s:x@[::1]/konbit": verified,
		"postgres://s:x@/konbit": verified, "postgres://s:x@/konbit?host=%2Frun%2Fpostgresql": verified,
		"postgres://s:x@db1/konbit?sslmode=verify-full": verified, "postgres://s:x@db1/konbit?sslmode=verify-ca&sslrootcert=/etc/ca.pem": verified,
		"postgres://s:x@/konbit?host=db1,db2&port=5432,5432&sslmode=verify-full": verified,
		"postgres://s:x@db1/konbit?sslmode=require":                              warned, "postgres://s:x@db1/konbit?sslmode=disable": warned,
		"postgres://s:x@db1/konbit": refused, "postgres://s:x@10.0.0.7/konbit": refused, "postgres://s:x@db1/konbit?sslmode=prefer": refused,
		"postgres://s:x@/konbit?host=localhost,db2": refused, "postgres://s:x@localhost/konbit?hostaddr=10.0.0.7": refused,
	} {
		t.Run(address, func(t *testing.T) {
			env := own(t)
			env["DATABASE_URL"] = address
			c, err := readConfig(env, serveNeeds...)
			if want == refused {
				require.ErrorContains(t, err, "DATABASE_URL does not say how the connection to ")
				require.NotContains(t, err.Error(), "s:x@", "the address contains a password")
				owner := own(t)
				owner["DATABASE_OWNER_URL"] = address
				_, err = readConfig(owner, needOwner)
				require.ErrorContains(t, err, "DATABASE_OWNER_URL does not say how")
				_, err = readConfig(owner, serveNeeds...)
				require.NoError(t, err, "a server does not use the owner's address")
				inEnvironment := maps.Clone(env)
				inEnvironment["PGSSLMODE"] = "verify-full"
				if !strings.Contains(address, "sslmode") {
					_, err = readConfig(inEnvironment, serveNeeds...)
					require.NoError(t, err, "the driver reads PGSSLMODE too")
				}
				return
			}
			require.NoError(t, err)
			require.Equal(t, want == warned, strings.Contains(strings.Join(c.warnings(), "\n"), "DATABASE_URL: with sslmode="))
		})
	}
}

func TestMetricsForOtherMachinesWarn(t *testing.T) {
	for address, warned := range map[string]bool{"": false, ":9090": false, "127.0.0.1:9090": false, "[::1]:9090": false, "0.0.0.0:9090": true, "10.0.0.5:9090": true} {
		t.Run("METRICS_ADDR="+address, func(t *testing.T) {
			c, err := readConfig(map[string]string{"METRICS_ADDR": address})
			require.NoError(t, err)
			require.Equal(t, warned, len(c.warnings()) == 1)
		})
	}
}

// TestPagesForOtherMachinesWarn: behind LISTEN_ADDR is plain HTTP, which should stay on one machine.
func TestPagesForOtherMachinesWarn(t *testing.T) {
	for address, warned := range map[string]bool{
		"127.0.0.1:8080": false, "[::1]:8080": false, "localhost:8080": false, "": false,
		":8080": true, "0.0.0.0:8080": true, "[::]:8080": true, "10.0.0.5:8080": true, "web1:8080": true,
	} {
		t.Run("LISTEN_ADDR="+address, func(t *testing.T) {
			c, err := readConfig(map[string]string{"LISTEN_ADDR": address})
			require.NoError(t, err)
			require.Equal(t, warned, strings.Contains(strings.Join(c.warnings(), "\n"), "LISTEN_ADDR: other machines reach the server without encryption"))
			c.StripeAPIURL = "http://127.0.0.1:8081"
			require.NotContains(t, strings.Join(c.warnings(), "\n"), "LISTEN_ADDR", "a trial")
		})
	}
}
