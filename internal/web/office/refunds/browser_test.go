package refunds_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/staff"
	"konbit/internal/platform/money"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestRefundInTheBrowser: Ana signs in by a passkey and asks for 40 % of what one of three funds got; Ben signs in by password
// and code, sees the same and approves. Card, books, receipt, email and audit log agree to the cent.
func TestRefundInTheBrowser(t *testing.T) {
	h := program.New(t, program.Options{})
	site, err := url.Parse(strings.Replace(h.URL, "127.0.0.1", "localhost", 1))
	require.NoError(t, err)
	h.Server.Staff.Site = site // a number is no host of passkeys
	h.Exec(`UPDATE legal_entity SET money_factor = 'totp', two_persons_refund = 1000`)
	d := &desk{Program: h, t: t}
	form := visitor.FormOf("donor@example.org", "Dora")
	form.Amount, form.AmountOther, form.Fund, form.CoverFees = "other", "90", "", true
	form.Split = map[string]string{"general": "50", "network": "30", "building": "10"}
	gift := h.SettledGift(form)
	d.settle()
	d.gift = h.Gift(gift.ID)
	var given int64
	require.NoError(t, h.DB.Owner.Get(&given, `SELECT s.gift FROM payment_share s JOIN payment p ON p.id = s.payment_id JOIN fund f ON f.id = s.fund_id WHERE p.donation_id = $1 AND f.slug = 'general'`, gift.ID))
	require.Greater(t, given, int64(5000), "with its part of the covered fee")
	back := money.New(given*40/100, "USD")
	h.StartWorkers()

	ana := person(t, site)
	token, err := visitor.Operator(h).Add(t.Context(), staff.Invitation{Email: "ana@example.org", Name: "Ana", Language: "en", Role: staff.Finance, Scope: visitor.ScopeOf(t, h, "tsne", "")}, "a test")
	require.NoError(t, err)
	ben := visitor.NewMember(t, h, "ben@example.org", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	ana.run(webauthn.Enable(), chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := webauthn.AddVirtualAuthenticator(&webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true,
			IsUserVerified: true, AutomaticPresenceSimulation: true,
		}).Do(ctx)
		return err
	}))
	ana.run(ana.open("/office/invitation#"+token), chromedp.WaitVisible("#submit"), chromedp.Click("#submit"), chromedp.WaitVisible("#passkey-button"), chromedp.Click("#passkey-button"),
		chromedp.WaitVisible("#codes"), chromedp.Click("#go"), chromedp.WaitVisible(".office-nav"), chromedp.Click(".office-nav button"),
		chromedp.WaitVisible("#passkey-button"), chromedp.Click("#passkey-button"), chromedp.WaitVisible(".office-nav"))

	var page, where string
	ana.run(ana.open("/office/tsne/gifts/"+gift.PublicRef+"/refund"), chromedp.WaitVisible("#refund"), chromedp.SendKeys("#part-general", back.Decimal()),
		chromedp.Click("#reason-requested"), chromedp.SendKeys("#note", "Dora called"))
	ana.axe("the form")
	ana.run(chromedp.Click("#submit"), chromedp.WaitVisible("#effect"), chromedp.Text("main", &page))
	ana.axe("what it does")
	require.Contains(t, page, "Visa ending in 4242")
	require.Contains(t, page, "Ben can approve it")
	var amount, note string
	ana.run(chromedp.NavigateBack(), chromedp.WaitVisible("#refund"), chromedp.Value("#part-general", &amount), chromedp.Value("#note", &note))
	require.Equal(t, []string{back.Decimal(), "Dora called"}, []string{amount, note}, "Back keeps what was typed")
	ana.run(chromedp.Click("#submit"), chromedp.WaitVisible("#effect"))
	ana.run(chromedp.Click("#submit"), chromedp.WaitVisible("#withdraw"), chromedp.Text("main", &page), chromedp.Location(&where))
	require.Contains(t, page, "A second person is asked")
	require.Equal(t, []string{"passkey"}, h.Lines(`SELECT factor FROM approval_request WHERE assertion ->> 'nonce' <> ''`), "it signed the request")
	require.Zero(t, h.Count(`SELECT count(*) FROM refund_order`))

	second := person(t, site)
	second.run(second.open("/office/sign-in"), chromedp.WaitVisible("#email"), chromedp.SendKeys("#email", ben.Email), chromedp.SendKeys("#password", visitor.StaffPassword),
		chromedp.SendKeys("#code", ben.Code()), chromedp.Click("#submit"), chromedp.WaitVisible(".office-nav"))
	var onCard bool
	second.run(second.open("/office/tsne"), chromedp.WaitVisible(".waits li h3 a"), chromedp.KeyEvent("j"),
		chromedp.Evaluate(`document.activeElement.matches(".waits li h3 a")`, &onCard))
	require.True(t, onCard, "j moves to the first card")
	second.run(second.open("/office/tsne/approvals"), chromedp.WaitVisible("tr[data-row]"))
	second.axe("the list of approvals")
	second.run(chromedp.KeyEvent("j"), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("#approve"), chromedp.Text("main", &page))
	second.axe("the approval")
	require.Contains(t, page, "Dora called")
	second.run(chromedp.SendKeys("#code", ben.Code()), chromedp.Click("#submit"), chromedp.WaitVisible(".notice-good"), chromedp.Text("main", &page))
	require.Contains(t, page, "Ben approved it.")

	testkit.Eventually(t, time.Minute, func() error {
		if n := h.Count(`SELECT count(*) FROM refund_order WHERE state = 'succeeded' AND requested_by <> $1`, ben.ID); n != 1 {
			return fmt.Errorf("%d orders succeeded", n)
		}
		return nil
	})
	d.settle()
	atStripe := map[string]int64{}
	for _, raw := range h.Fake.State().Refunds {
		var made struct {
			Amount   int64
			Status   string
			Metadata map[string]string
		}
		require.NoError(t, json.Unmarshal(raw, &made))
		require.Equal(t, "succeeded", made.Status)
		atStripe[made.Metadata["konbit_refund"]] = made.Amount
	}
	require.Equal(t, map[string]int64{h.Lines(`SELECT id::text FROM refund_order`)[0]: back.Minor}, atStripe)
	require.Equal(t, []string{fmt.Sprint(-back.Minor)}, h.Lines(`SELECT amount::text FROM balance_transaction WHERE type = 'refund'`))
	require.Equal(t, []string{fmt.Sprintf("general %d", back.Minor)}, h.Lines(`SELECT f.slug || ' ' || sum(p.amount) FROM posting p JOIN fund f ON f.id = p.fund_id WHERE p.account_code LIKE '48%' GROUP BY f.slug`))
	require.Equal(t, []string{fmt.Sprint(d.gift.AmountMinor - back.Minor)}, h.Lines(`SELECT r.facts -> 'amount' ->> 'minor' FROM receipt r WHERE NOT EXISTS (SELECT FROM receipt_void v WHERE v.receipt_id = r.id)`))
	testkit.Eventually(t, time.Minute, func() error {
		for _, m := range h.Mail.Messages() {
			if m.To == "donor@example.org" && strings.Contains(m.Subject, "in place of") {
				return nil
			}
		}
		return fmt.Errorf("no email with the new receipt among %d", len(h.Mail.Messages()))
	})
	require.Equal(t, []string{"approval.approved Ben", "approval.executed Ben", "approval.requested Ana", "refund.ordered Ben"},
		h.Lines(`SELECT e.act || ' ' || m.name FROM audit_entry e JOIN staff m ON m.id = e.staff_id WHERE e.object_kind IN ('approval_request', 'refund_order') ORDER BY 1`))
	ana.run(chromedp.Navigate(where), chromedp.WaitVisible(".pairs"), chromedp.Text("main", &page))
	require.Contains(t, page, "Refunded")
	ana.run(ana.open("/office/tsne/refunds"), chromedp.WaitVisible("tr[data-row]"), chromedp.Text("main", &page))
	ana.axe("the list of refunds")
	require.Contains(t, page, "1 refund, "+back.Format("en"))
	h.RequireNoFindings()
}

// tab is a browser of one person.
type tab struct {
	t    *testing.T
	ctx  context.Context
	site *url.URL
}

func person(t *testing.T, site *url.URL) tab {
	return tab{t, testkit.Browser(t), site}
}

func (b tab) run(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 2*time.Minute)
	defer cancel()
	require.NoError(b.t, chromedp.Run(ctx, actions...))
}

func (b tab) open(path string) chromedp.Action { return chromedp.Navigate(b.site.String() + path) }

func (b tab) axe(page string) {
	b.t.Helper()
	require.Empty(b.t, testkit.Axe(b.t, b.ctx), page)
}
