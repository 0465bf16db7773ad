package chaos

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/donoraccess"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

func init() {
	register(Row{
		Name: "enumeration", No: "T21", Short: 40, Long: 1000, Prove: Enumeration,
		Promise: "known addresses and as many unknown ones at sign-in, each with a wrong code, in any order: same status, length and " +
			"headers; in full, the times have the same distribution too (Mann-Whitney, p > 0.01)",
	})
}

// addressKinds are addresses of equal length: donors gave with the known ones, and no donor gave with the others.
var addressKinds = []string{"known", "other"}

// waysIn are the steps of signing in, each timed separately: requesting the email and guessing a code.
var waysIn = []string{"/sign-in", "/sign-in/code"}

// signInRequests requests sign-in emails for addresses.
type signInRequests struct {
	*program.Program
	t      testing.TB
	shapes map[string]string                     // by step: the shape of the first answer
	took   map[string]map[string][]time.Duration // by step and kind
}

// Enumeration requests a sign-in for known and unknown addresses, once each, in an order that follows from the seed.
func Enumeration(t testing.TB, run Run) {
	h := program.New(t, program.Options{Fake: stripefake.Options{Seed: run.Seed | 1}, UnlimitedSignIn: true})
	h.SettledGift(program.ValidForm())
	h.Exec(`INSERT INTO donor (id, entity_id, email, first_name, last_name, language, created_at)
		SELECT gen_random_uuid(), entity_id, format('known-%s@example.org', lpad(i::text, 6, '0')), first_name, last_name, language, now()
		  FROM donor, generate_series(1, $1) i`, run.Count)
	a := &signInRequests{Program: h, t: t, shapes: map[string]string{}, took: map[string]map[string][]time.Duration{}}
	for _, step := range waysIn {
		a.took[step] = map[string][]time.Duration{}
	}
	for i := range 10 { // warms up connections, query plans and caches for both kinds
		a.visit(fmt.Sprintf("early-%06d@example.org", i), "")
	}
	r := rand.New(rand.NewPCG(run.Seed, 21))
	for i := 1; i <= run.Count; i++ {
		for _, k := range r.Perm(2) {
			a.visit(fmt.Sprintf("%s-%06d@example.org", addressKinds[k], i), addressKinds[k])
		}
		run.Progress(1)
	}
	require.Empty(t, h.Mail.Messages(), "no email is sent during the request")
	for _, step := range waysIn {
		known, other := a.took[step][addressKinds[0]], a.took[step][addressKinds[1]]
		p := mannWhitney(known, other)
		run.Record("p of "+step, fmt.Sprintf("%.3f", p))
		run.Record("medians of "+step, fmt.Sprintf("%s and %s", median(known).Round(10*time.Microsecond), median(other).Round(10*time.Microsecond)))
		if run.Count >= 1000 {
			require.Greater(t, p, 0.01, "the times of %s are of two kinds", step)
		}
	}
	a.runEmailJobs()
}

// visit requests an email and guesses its code, with new cookies.
func (a *signInRequests) visit(email, kind string) {
	a.step(waysIn[0], kind, url.Values{"email": {email}})
	a.step(waysIn[1], kind, url.Values{"email": {email}, "code": {"1234 5678"}})
}

// step posts a form and checks that its answer equals every other answer of the step, except for the address in it.
func (a *signInRequests) step(path, kind string, form url.Values) {
	began := time.Now()
	response, err := program.Client().PostForm(a.URL+path, form)
	require.NoError(a.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	took := time.Since(began)
	require.NoError(a.t, err)
	if kind == "" {
		return
	}
	a.took[path][kind] = append(a.took[path][kind], took)
	seen := shape(response, body, form.Get("email"))
	if a.shapes[path] == "" {
		a.shapes[path] = seen
	}
	require.Equal(a.t, a.shapes[path], seen, "%s is answered otherwise than others", form.Get("email"))
}

// shape returns the parts of an answer that must not depend on whether an address is known: everything except the
// address, the date and a cookie's random bits.
func shape(response *http.Response, body []byte, email string) string {
	header := response.Header.Clone()
	header.Del("Date")
	for i, cookie := range header.Values("Set-Cookie") {
		name, _, _ := strings.Cut(cookie, "=")
		header["Set-Cookie"][i] = fmt.Sprint(name, len(cookie))
	}
	body = bytes.ReplaceAll(body, []byte(email), bytes.Repeat([]byte("@"), len(email)))
	return fmt.Sprint(response.StatusCode, header, len(body), string(body))
}

// runEmailJobs runs the email jobs. Only donors get an email.
func (a *signInRequests) runEmailJobs() {
	for _, kind := range addressKinds {
		var ids []string
		require.NoError(a.t, a.DB.Owner.Select(&ids, `SELECT args->>'sign_in_id' FROM river_job WHERE kind = 'sign_in_letter'
			AND args->>'sign_in_id' IN (SELECT id::text FROM sign_in WHERE email LIKE $1 || '-%')`, kind))
		require.Len(a.t, ids, len(a.took[waysIn[0]][kind]), "an order for each, known or not")
		for _, id := range ids[:min(len(ids), 20)] {
			before := len(a.Mail.Messages())
			require.NoError(a.t, a.SignIns.Mail(a.t.Context(), donoraccess.SignInEmailJob{SignInID: uuid.MustParse(id)}))
			require.Equal(a.t, kind == addressKinds[0], len(a.Mail.Messages()) == before+1, kind)
		}
	}
}
