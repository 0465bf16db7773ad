package chaos

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

func init() {
	register(Row{
		Name: "tarpit", No: "8", Short: 40, Long: 5000, Prove: Tarpit,
		Promise: "statements wait while the mail server accepts connections and is silent at a step of SMTP: a donor's cancel reaches Stripe within " +
			"five seconds, and so does an email to sign in if the server replies to it, or once it replies again; no email is lost",
	})
}

const (
	urgent      = 5 * time.Second  // a cancel or a sign-in takes at most
	shortUrgent = 12 * time.Second // in the short form, on a busy machine: less than one attempt of an email (15 s)
	attachment  = 24 << 10         // bytes: an email with a document is larger, an email to sign in is smaller
)

// silentServer is a way a mail server is silent.
type silentServer struct {
	name    string
	fault   mailcatch.Fault
	replies bool // the server still replies to an email to sign in
}

var silentServers = []silentServer{
	{"after the dot of a document", mailcatch.Fault{Kind: mailcatch.Silent, Step: mailcatch.AfterDot, MinBytes: attachment}, true},
	{"at MAIL", mailcatch.Fault{Kind: mailcatch.Silent, Step: mailcatch.AtMail}, false},
	{"at RCPT", mailcatch.Fault{Kind: mailcatch.Silent, Step: mailcatch.AtRcpt}, false},
	{"after the dot", mailcatch.Fault{Kind: mailcatch.Silent, Step: mailcatch.AfterDot}, false},
}

// tarpit is a program whose mail server is silent while statements wait.
type tarpit struct {
	*program.Program
	t       testing.TB
	limit   time.Duration
	slowest map[string]time.Duration // by what was measured
}

// Tarpit makes Count statements wait at a mail server that is silent, in each way, in an order that follows from the
// seed. Each time a donor cancels a recurring gift and another person asks to sign in.
func Tarpit(t testing.TB, run Run) {
	h := program.New(t, program.Options{Fake: stripefake.Options{Seed: run.Seed | 1}, UnlimitedSignIn: true})
	w := &tarpit{Program: h, t: t, limit: shortUrgent, slowest: map[string]time.Duration{}}
	if run.Count >= 1000 {
		w.limit = urgent
	}
	slug := fillYear(t, h.DB.Owner, run.Count) // first: it fills an empty database
	var donors []*visitor.Visitor
	var plans []string
	for i := range silentServers {
		email := fmt.Sprintf("plan%d@donor.example", i)
		plan := visitor.StartPlan(t, h, visitor.FormOf(email, "Ana"))
		var ref string
		require.NoError(t, h.DB.Owner.Get(&ref, `SELECT public_ref FROM plan WHERE id = $1`, plan.ID))
		donors, plans = append(donors, visitor.New(t, h).SignIn(email)), append(plans, ref)
	}
	entity, err := h.CurrentCatalog().Entity(slug)
	require.NoError(t, err)

	h.Mail.SetFault(silentServers[0].fault)
	_, err = h.Statements.Issue(t.Context(), entity, statementYear, nil)
	require.NoError(t, err)
	h.StartWorkers()
	r := rand.New(rand.NewPCG(run.Seed, 6))
	for i, k := range r.Perm(len(silentServers)) {
		w.prove(silentServers[k], donors[i], plans[i], i)
	}
	h.Mail.SetFault(mailcatch.Fault{})
	testkit.Eventually(t, 10*time.Minute, func() error {
		if n := h.Count(`SELECT count(*) FROM river_job WHERE state <> 'completed'`); n > 0 {
			return fmt.Errorf("%d jobs are not done", n)
		}
		return nil
	})
	require.Zero(t, h.Count(`SELECT count(*) FROM statement s WHERE NOT EXISTS (SELECT 1 FROM letter l JOIN letter_delivery d ON d.letter_id = l.id
		WHERE l.subject_id = s.id AND d.accepted_at IS NOT NULL)`), "statements that were not sent")
	run.Progress(run.Count)
	for what, took := range w.slowest {
		run.Record("slowest "+what, took.Round(10*time.Millisecond).String())
	}
}

// prove makes the server silent in one way, waits until senders notice, and measures.
func (w *tarpit) prove(how silentServer, donor *visitor.Visitor, plan string, n int) {
	w.Mail.SetFault(how.fault)
	w.waitForSilence()
	began := time.Now()
	response := donor.Post("/portal/plans/"+plan, url.Values{"do": {"cancel"}, "press": {uuid.NewString()}})
	require.Equal(w.t, http.StatusSeeOther, response.StatusCode, response.Page)
	testkit.Eventually(w.t, time.Minute, func() error {
		if w.Count(`SELECT count(*) FROM plan_request q JOIN plan p ON p.id = q.plan_id WHERE p.public_ref = $1 AND q.kind = 'cancel' AND q.carried_at IS NOT NULL`, plan) == 0 {
			return fmt.Errorf("the cancel has not reached Stripe")
		}
		return nil
	})
	w.took("cancel", how, began)

	email := fmt.Sprintf("donor%d@many.example", n+1)
	began = time.Now()
	response = visitor.New(w.t, w.Program).Ask("POST", "/sign-in", url.Values{"email": {email}})
	require.Equal(w.t, http.StatusSeeOther, response.StatusCode)
	if !how.replies {
		w.waitForSilence()
		w.Mail.SetFault(silentServers[0].fault) // statements still wait: else none is left for the next way
		began = time.Now()
	}
	testkit.Eventually(w.t, 2*time.Minute, func() error {
		for _, m := range w.Mail.Messages() {
			if m.To == email && strings.HasPrefix(m.MessageID, "sign_in") {
				return nil
			}
		}
		return fmt.Errorf("no email to sign in for %s", email)
	})
	w.took("sign-in", how, began)
}

// waitForSilence waits until the server has been silent to an attempt that began after now.
func (w *tarpit) waitForSilence() {
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	require.NoError(w.t, w.Mail.WaitForSilence(ctx))
}

func (w *tarpit) took(what string, how silentServer, began time.Time) {
	took := time.Since(began)
	w.slowest[what] = cmp.Or(max(w.slowest[what], took), took)
	require.LessOrEqual(w.t, took, w.limit, "%s, with the server silent %s", what, how.name)
}
