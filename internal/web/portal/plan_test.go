package portal_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/plan"
	"konbit/internal/giving/recurring"
	"konbit/internal/web/portal"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

var planLink = regexp.MustCompile(`http://[^\s"<>]+/plans/[^\s"<>]+`)

// mailed waits for an email with these words in its subject and returns its text.
func waitForEmail(t *testing.T, h *program.Program, subject string) (text string) {
	t.Helper()
	testkit.Eventually(t, 20*time.Second, func() error {
		for _, m := range h.Mail.Messages() {
			l, err := m.Email()
			if err != nil {
				return err
			}
			if strings.Contains(m.Subject, subject) {
				text = l.Text
				return nil
			}
		}
		return fmt.Errorf("no email %q", subject)
	})
	return text
}

func getPage(t *testing.T, address string) (int, string) {
	t.Helper()
	resp, err := program.Client().Get(address)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body)
}

func postForm(t *testing.T, address string, form url.Values) *http.Response {
	t.Helper()
	resp, err := program.Client().PostForm(address, form)
	require.NoError(t, err)
	resp.Body.Close()
	return resp
}

// TestManagedFromAnEmail: the receipt's link opens its plan and nothing else, reading changes nothing, each change is
// explained before it is made, and stopping takes one submission.
func TestManagedFromAnEmail(t *testing.T) {
	h := program.New(t, program.Options{})
	h.StartWorkers()
	f := program.ValidForm()
	f.Frequency, f.Occurrences = "monthly", "12"
	d := h.StartedGift(f)
	h.Pay(d)
	h.DeliverNew()
	receiptText := waitForEmail(t, h, "receipt")
	require.Contains(t, receiptText, "1 of 12")
	require.Contains(t, strings.Join(strings.Fields(receiptText), " "), "12 payments of $20, the last on")
	link := planLink.FindString(receiptText)
	require.NotEmpty(t, link)

	code, page := getPage(t, link)
	require.Equal(t, http.StatusOK, code)
	require.NotContains(t, page, "Pérez")
	require.NotContains(t, page, "ana@example.org")
	before := h.Lines(`SELECT status || paid || coalesce(next_at::text, '') FROM plan`)
	code, page = getPage(t, link+"&do=pause&months=3")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, page, "Pause my gift")
	code, _ = getPage(t, link+"&do=pause&months=40")
	require.Equal(t, http.StatusUnprocessableEntity, code)
	code, page = getPage(t, link+"&do=change&amount=1&frequency=monthly&fund=general")
	require.Equal(t, http.StatusUnprocessableEntity, code)
	require.Contains(t, page, "The smallest gift")
	code, page = getPage(t, strings.Replace(link, "lang=en", "lang=es", 1)+"&do=change&amount=15&frequency=yearly&fund=general")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, page, "$15 cada año")
	for _, more := range []url.Values{
		{"amount": {"5000"}, "frequency": {"weekly"}, "fund": {"general"}},
		{"amount": {"20"}, "frequency": {"monthly"}, "fund": {"network"}},
		{"amount": {"20"}, "frequency": {"monthly"}, "fund": {"general"}, "cover_fees": {"yes"}},
		{"amount": {"20"}, "frequency": {"monthly"}, "fund": {"general"}, "date": {h.Fake.Now().AddDate(0, 0, 5).Format(time.DateOnly)}},
	} {
		more.Set("do", "change")
		code, page = getPage(t, link+"&"+more.Encode())
		require.Equal(t, http.StatusForbidden, code)
		require.Contains(t, page, "sign in first")
		require.Contains(t, page, `value="`+more.Get("amount")+`"`, "what was typed stays")
		more.Set("press", uuid.NewString())
		require.Equal(t, http.StatusForbidden, postForm(t, link, more).StatusCode)
	}
	require.Equal(t, before, h.Lines(`SELECT status || paid || coalesce(next_at::text, '') FROM plan`), "reading the page changes nothing")
	require.Zero(t, h.Count(`SELECT count(*) FROM plan_request WHERE kind <> 'schedule'`))

	wrong := regexp.MustCompile(`/plans/([^/]+)/[^?]+`).ReplaceAllString(link, "/plans/$1/AAAAAAAAAAAAAAAAAAAAAA")
	code, _ = getPage(t, wrong)
	require.Equal(t, http.StatusNotFound, code)
	require.Equal(t, http.StatusNotFound, postForm(t, wrong, url.Values{"do": {"cancel"}, "press": {uuid.NewString()}}).StatusCode)

	submission := url.Values{"do": {"pause"}, "months": {"2"}, "press": {uuid.NewString()}}
	for range 2 {
		resp := postForm(t, link, submission)
		require.Equal(t, http.StatusSeeOther, resp.StatusCode)
		require.Contains(t, resp.Header.Get("Location"), "said=pause")
	}
	require.Contains(t, strings.Join(strings.Fields(waitForEmail(t, h, "paused")), " "), "goes on by itself")
	resp := postForm(t, link, url.Values{"do": {"cancel"}, "press": {uuid.NewString()}, "reason": {"a new job"}})
	require.Contains(t, resp.Header.Get("Location"), "said=cancel")
	waitForEmail(t, h, "has stopped, as you asked")
	p, err := recurring.ByID(t.Context(), h.DB.Server, d.ID)
	require.NoError(t, err)
	require.Equal(t, plan.Cancelled, p.Status)
	require.Equal(t, http.StatusConflict, postForm(t, link, url.Values{"do": {"skip"}, "press": {uuid.NewString()}}).StatusCode)
}

// TestNewPaymentMethodFromAnEmail: the link asks first, a POST leads to Stripe's page, and the link is valid for thirty
// days.
func TestNewPaymentMethodFromAnEmail(t *testing.T) {
	h := program.New(t, program.Options{})
	h.StartWorkers()
	f := program.ValidForm()
	f.Frequency = "monthly"
	d := h.StartedGift(f)
	h.Pay(d)
	h.DeliverNew()
	waitForEmail(t, h, "receipt")
	var p plan.Plan
	testkit.Eventually(t, 20*time.Second, func() (err error) {
		if p, err = recurring.ByID(t.Context(), h.DB.Server, d.ID); err == nil && p.SyncDue != nil {
			err = errors.New("the plan is not read yet")
		}
		return err
	})
	require.NoError(t, h.Fake.FailCard(*p.SubscriptionID, "insufficient_funds", 0))
	h.Fake.Advance(p.NextAt.Sub(h.Fake.Now()) + 2*time.Hour)
	h.DeliverNew()
	emailText := waitForEmail(t, h, "could not be charged")
	require.Contains(t, strings.Join(strings.Fields(emailText), " "), "Your bank says there was not enough money")
	link := regexp.MustCompile(`http://\S+/plans/card/\S+`).FindString(emailText)
	require.NotEmpty(t, link)
	code, page := getPage(t, link)
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, page, "$20 every month")
	resp := postForm(t, link, nil)
	require.Equal(t, http.StatusSeeOther, resp.StatusCode)
	require.Contains(t, resp.Header.Get("Location"), h.FakeURL)
	code, _ = getPage(t, strings.Replace(link, "/plans/card/", "/plans/card/A", 1))
	require.Equal(t, http.StatusNotFound, code)

	old := portal.PlanLinks{Base: h.Server.BaseURL, Secret: h.Server.Secret, Now: func() time.Time { return time.Now().Add(-31 * 24 * time.Hour) }}
	code, _ = getPage(t, old.PaymentMethod(p.DonorID, "en"))
	require.Equal(t, http.StatusNotFound, code)

	// A stand-in for Stripe can move the business clock while an email is composed. Links and forms age by the
	// machine's clock.
	h.Fake.Advance(40 * 24 * time.Hour)
	code, _ = getPage(t, link)
	require.Equal(t, http.StatusOK, code)
	_, page = getPage(t, h.URL+"/give/csio?lang=en")
	token := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(page)
	require.NotEmpty(t, token)
	_, shown, err := h.Guard.ParseFormToken(token[1])
	require.NoError(t, err)
	require.WithinRange(t, shown, time.Now().Add(-time.Minute), time.Now())
}
