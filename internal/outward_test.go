package internal_test

import (
	"go/ast"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// reaches lists each place where the program can open an outgoing connection. None of them uses an address
// that a visitor gave: they connect to Stripe (or to the configured stand-in) and the DNS. go-mail and
// lib/pq, whose addresses are settings, may be imported only by the packages in the list of floors_test.go
// (threat T19).
var reaches = []string{
	"app/clock.go http.Client",                                         // reads the time of the stand-in, if one is configured
	"app/demo_history.go http.Client",                                  // asks the stand-in, if one is configured
	"app/doctor/doctor.go net.DefaultResolver",                         // reads the DNS records of our senders when an operator asks
	"mail/transport/transport.go smtp.Client",                          // of go-mail: SMTP_URL
	"platform/pg/hosts.go net.DialTimeout",                             // DATABASE_URL
	"platform/pg/hosts.go net.Dialer",                                  // likewise
	"platform/pg/watchdog.go net.DialTimeout",                          // likewise
	"platform/pg/watchdog.go net.Dialer",                               // likewise
	"processor/stripepay/client.go http.Client",                        // follows no redirect
	"processor/stripepay/transport/transport.go http.DefaultTransport", // used by the client above, for Stripe's host alone
	"processor/stripepay/transport/transport.go http.Transport",        // its type, for the number of connections kept
}

// outward reports whether a name of the standard library opens connections, or holds a type that does.
func outward(name string) bool {
	pack, what, _ := strings.Cut(name, ".")
	switch pack {
	case "http":
		return slices.Contains([]string{"Client", "DefaultClient", "Get", "Head", "Post", "PostForm", "Transport", "DefaultTransport", "NewFileTransport"}, what)
	case "net", "tls":
		return strings.HasPrefix(what, "Dial") || strings.HasPrefix(what, "Lookup") || strings.HasPrefix(what, "Resolve") ||
			slices.Contains([]string{"Resolver", "DefaultResolver"}, what)
	case "smtp", "rpc", "jsonrpc", "httputil", "exec":
		return true
	}
	return false
}

func TestNoConnectionToAVisitorsAddress(t *testing.T) {
	var found []string
	each(t, func(pkg, path string, file *ast.File) {
		if groupOf(pkg) == workshop || pkg == "cmd/demo" || pkg == "cmd/chaos" || pkg == "cmd/bench" {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			name := selector(n)
			if at := path + " " + name; outward(name) && !slices.Contains(found, at) {
				found = append(found, at)
			}
			return true
		})
	})
	slices.Sort(found)
	require.Equal(t, reaches, found, "a new way out is listed here with its reason")
}

func TestOutgoingConnectionsAreFound(t *testing.T) {
	for _, out := range []string{"http.Get", "http.PostForm", "http.DefaultClient", "net.Dialer", "net.DialTimeout", "tls.Dial", "net.LookupHost", "smtp.SendMail"} {
		assert.True(t, outward(out), out)
	}
	for _, in := range []string{"http.NewRequest", "http.Server", "net.Listen", "net.SplitHostPort", "url.Parse", "tls.Config"} {
		assert.False(t, outward(in), in)
	}
}
