package office_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/staff"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestPasskeyInTheBrowser: a person sets up a passkey by the link of an invitation, signs in by it, and proves an act by it, in
// a browser with a virtual authenticator.
func TestPasskeyInTheBrowser(t *testing.T) {
	h := program.New(t, program.Options{})
	site, err := url.Parse(strings.Replace(h.URL, "127.0.0.1", "localhost", 1))
	require.NoError(t, err)
	h.Server.Staff.Site = site // a number is no host of passkeys
	token, err := visitor.Operator(h).Add(t.Context(), staff.Invitation{Email: "ana@example.org", Name: "Ana", Language: "en", Role: staff.Admin, Scope: visitor.ScopeOf(t, h, "tsne", "")}, "a test")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(testkit.Browser(t), 2*time.Minute)
	defer cancel()
	run := func(actions ...chromedp.Action) {
		t.Helper()
		require.NoError(t, chromedp.Run(ctx, actions...))
	}
	run(webauthn.Enable(), chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := webauthn.AddVirtualAuthenticator(&webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true,
			IsUserVerified: true, AutomaticPresenceSimulation: true,
		}).Do(ctx)
		return err
	}))
	var fragment, path, page string
	run(chromedp.Navigate(site.String()+"/office/invitation#"+token), chromedp.WaitVisible("#submit"), chromedp.Evaluate(`location.hash`, &fragment),
		chromedp.Click("#submit"), chromedp.WaitVisible("#passkey-button"), chromedp.Click("#passkey-button"), chromedp.WaitVisible("#codes"),
		chromedp.Click("#go"), chromedp.WaitVisible(".office-nav"), chromedp.Location(&path))
	require.Empty(t, fragment, "the secret is out of the address")
	require.Equal(t, site.String()+"/office/tsne", path)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM staff_passkey WHERE ended_at IS NULL`))

	run(chromedp.Click(".office-nav button"), chromedp.WaitVisible("#passkey-button"), chromedp.Click("#passkey-button"), chromedp.WaitVisible(".office-nav"), chromedp.Location(&path))
	require.Equal(t, site.String()+"/office/tsne", path)

	h.Exec(`UPDATE staff_session SET factor_at = factor_at - interval '6 minutes'`)
	run(chromedp.Navigate(site.String()+"/office/tsne/people"), chromedp.WaitVisible("#invite"), chromedp.SendKeys("#email", "bea@example.org"), chromedp.SendKeys("#name", "Bea"),
		chromedp.Click("#invite #submit"), chromedp.WaitVisible(".notice-good"), chromedp.Text("main", &page))
	require.Contains(t, page, "bea@example.org")
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM staff_session WHERE factor_kind = 'passkey' AND factor_assertion ->> 'nonce' <> '' AND factor_at > now() - interval '1 minute'`))
}
