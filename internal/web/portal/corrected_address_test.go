package portal_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/receipt"
	"konbit/internal/giving/recurring"
	"konbit/internal/mail"
	"konbit/internal/workshop/testkit/visitor"
)

// TestCorrectedAddressIsThePlans: the donor typed another person's address. When an operator has corrected a receipt,
// everything about the plan goes to the right address: emails, receipts, links and codes. The person who reads the
// typed address gets no more emails and does not find the plan after signing in.
func TestCorrectedAddressIsThePlans(t *testing.T) {
	s := newSender(t)
	const right = "right@example.org"
	g := s.newGiver("en")
	first := s.receiptOf(g.plan.ID)
	require.NoError(t, s.Receipts.Mail(t.Context(), first.ID))
	second := s.nextMonth(g)
	require.NoError(t, s.Receipts.Mail(t.Context(), second.ID))
	require.Equal(t, g.address, s.Mail.Messages()[0].To)
	wrong := s.signIn(g)
	require.Contains(t, wrong.Ask("GET", "/portal/plans", nil).Page, g.plan.PublicRef)
	old, err := s.Receipts.Plans.Of(t.Context(), g.plan.PublicRef, "en")
	require.NoError(t, err)
	resender := mail.Resender{Receipts: s.Receipts, Queue: s.Queue}
	for name, correct := range map[string]func(r receipt.Receipt){
		"receipt sent again": func(r receipt.Receipt) {
			require.NoError(t, resender.Redirect(t.Context(), r, right, "a test"))
		},
		"new receipt": func(r receipt.Receipt) {
			// The receipt was corrected to the typed address meanwhile: the last correction counts.
			require.NoError(t, resender.Redirect(t.Context(), r, g.address, "a test"))
			s.tx(func(tx *sqlx.Tx) error {
				if err := resender.CorrectAddressTx(t.Context(), tx, r, right, "a test"); err != nil {
					return err
				}
				_, err := s.ReceiptIssuer.CorrectTx(t.Context(), tx, r.ID, receipt.Correction{FirstName: "Anna", Email: right}, "a test", time.Now())
				return err
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			s.Exec(`DELETE FROM guard_count`)
			s.Exec(`UPDATE letter_delivery SET accepted_at = now(), smtp_reply = '250 OK' WHERE num_nonnulls(accepted_at, refused_at, declined_at) = 0`)
			correct(s.receiptOf(g.plan.ID))
			before := len(s.Mail.Messages())

			// The link in the email to the wrong address mails a valid link to the right one.
			fresh := s.freshLink(old)
			require.Equal(t, right, s.Mail.Messages()[0].To)

			// So do the other emails: receipts of later months, a receipt that is sent again, and events.
			require.NoError(t, resender.Resend(t.Context(), second, "a test"))
			require.Equal(t, []string{right}, s.Lines(`SELECT recipient FROM letter_delivery WHERE cause = 'resend' ORDER BY ordered_at DESC LIMIT 1`))
			s.sendEvents(g, runningEvents[:2])
			require.NoError(t, s.Receipts.Mail(t.Context(), s.nextMonth(g).ID))

			// A code for more than a link may do goes to the right address, and opens the plan.
			holder := visitor.New(t, s.Program)
			path := holder.OpenPlan(mail.PlanLink{ManageURL: fresh})
			base, _, _ := strings.Cut(path, "?")
			form := url.Values{"session": {holder.TokenOn(path)}, "do": {"change"}, "amount": {"30"}, "frequency": {"monthly"}}
			require.Equal(t, http.StatusSeeOther, holder.Ask("POST", base+"/email", form).StatusCode)
			_, code, _ := holder.SignInEmail()
			require.NotEmpty(t, code)
			got := holder.Ask("POST", base+"/code", url.Values{"session": {holder.TokenOn(path)}, "code": {code}})
			require.Equal(t, http.StatusSeeOther, got.StatusCode)
			require.Contains(t, got.Header.Get("Location"), "/portal/plans/"+g.plan.PublicRef)
			require.Equal(t, http.StatusOK, holder.Ask("GET", got.Header.Get("Location"), nil).StatusCode)
			require.Contains(t, holder.Ask("GET", "/portal", nil).Page, g.plan.PublicRef)

			// Messages are newest first.
			for _, m := range s.Mail.Messages()[:len(s.Mail.Messages())-before] {
				assert.Equal(t, right, m.To, m.Subject)
			}

			// Sessions of the typed address do not find the plan, neither one that was open nor a new one.
			for _, v := range []*visitor.Visitor{wrong, s.signIn(g)} {
				require.NotContains(t, v.Ask("GET", "/portal", nil).Page+v.Ask("GET", "/portal/plans", nil).Page, g.plan.PublicRef)
				require.Equal(t, http.StatusNotFound, v.Ask("GET", "/portal/plans/"+g.plan.PublicRef, nil).StatusCode)
				require.Equal(t, http.StatusNotFound, v.Post("/portal/plans/"+g.plan.PublicRef, form).StatusCode)
				require.Equal(t, http.StatusNotFound, v.Post("/portal/plans/"+g.plan.PublicRef+"/card", url.Values{}).StatusCode)
			}

			// The right address ends the links to the plan when it ends all sessions.
			require.Equal(t, http.StatusSeeOther, holder.Post("/portal/sessions/end", url.Values{}).StatusCode)
			require.Zero(t, s.Count(`SELECT count(*) FROM plan_link WHERE plan_id = $1 AND ended_at IS NULL`, g.plan.ID))
		})
	}
	s.t = t
	require.NoError(t, resender.Redirect(t.Context(), s.receiptOf(g.plan.ID), g.address, "a test"))
	require.Equal(t, http.StatusOK, wrong.Ask("GET", "/portal/plans/"+g.plan.PublicRef, nil).StatusCode, "corrected back")
}

var endedToken = regexp.MustCompile(`name="ended" value="([^"]+)"`)

// freshLink presses the button of a link that has ended, sends the email, and returns the link in it.
func (s sender) freshLink(old mail.PlanLink) string {
	s.t.Helper()
	_, token, _ := strings.Cut(old.ManageURL, "#")
	v := visitor.New(s.t, s.Program)
	page := v.Ask("POST", "/plans/open", url.Values{"link": {token}}).Page
	ended := endedToken.FindStringSubmatch(page)
	require.NotNil(s.t, ended, "the link is still valid")
	require.Equal(s.t, http.StatusOK, v.Ask("POST", "/plans/fresh", url.Values{"ended": {ended[1]}}).StatusCode)
	plans := s.Lines(`SELECT args->>'plan_id' FROM river_job WHERE kind = 'plan_link_letter' ORDER BY id DESC LIMIT 1`)
	require.Len(s.t, plans, 1)
	require.NoError(s.t, s.plans.MailFreshLink(s.t.Context(), uuid.MustParse(plans[0])))
	for _, link := range readEmail(s.t, s.Mail.Messages()[0]).links {
		if strings.Contains(link, "/plans/open") {
			return link
		}
	}
	s.t.Fatal("no link")
	return ""
}

// nextMonth makes the plan's next payment and returns its receipt.
func (s sender) nextMonth(g giver) receipt.Receipt {
	s.t.Helper()
	p, err := recurring.ByID(s.t.Context(), s.DB.Server, g.plan.ID)
	require.NoError(s.t, err)
	s.Fake.Advance(p.NextAt.Sub(s.Fake.Now()) + 2*time.Hour)
	s.DeliverNew()
	s.DrainAll()
	s.RunPlanJobs()
	gifts := s.Lines(`SELECT donation_id::text FROM instalment WHERE plan_id = $1 AND n IS NOT NULL ORDER BY n DESC LIMIT 1`, g.plan.ID)
	require.NotEqual(s.t, g.plan.ID.String(), gifts[0])
	return s.receiptOf(uuid.MustParse(gifts[0]))
}
