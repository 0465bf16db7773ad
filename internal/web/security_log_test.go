package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/securitylog"
	"konbit/internal/web"
	"konbit/internal/web/give"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

var (
	securityLine = regexp.MustCompile(`(?m)^time=\S+ level=(?:INFO|WARN) msg=security event=([a-z_]+) network=(\S+) reference=([0-9a-f-]{13})(?: limit=("[a-z, -]+"|[a-z]+))?$`)
	requestLine  = regexp.MustCompile(`(?m)^time=\S+ level=INFO msg=request reference=(\S+) method=\S+ route=(\S*) status=(\d+)`)
)

// securityEvents returns the events of the log's security entries. Each entry has exactly the fields that securityLine
// names, and so nothing that a person typed.
func securityEvents(t *testing.T, log string) (events []string) {
	t.Helper()
	for line := range strings.Lines(log) {
		if !strings.Contains(line, "msg=security") {
			continue
		}
		found := securityLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if assert.NotNil(t, found, line) {
			assert.Contains(t, []string{"127.0.0.0/24", "unknown"}, found[2], line)
			events = append(events, found[1])
		}
	}
	return events
}

// TestSecurityLog does everything that the table of events lists, once, and expects the event. An entry has no name, no
// address, no token and nothing that was typed.
func TestSecurityLog(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonors(t)
	for _, donor := range []string{"canary@example.org", "canary2@example.org"} {
		e.SettledGift(visitor.FormOf(donor, "Canary"))
	}
	limits := guard.Standard()
	limits.Address, limits.Network = guard.Limit{}, guard.Limit{}
	strict := guard.New(e.DB.Server, e.Server.Keys, limits, time.Now)
	for _, area := range e.Server.Areas {
		if a, ok := area.(*give.Area); ok {
			a.Guard = strict
		}
	}
	pass, passToken, err := guard.OpenPass(t.Context(), e.DB.Server, uuid.New(), e.Offer("csio").Organisation.ID, time.Hour)
	require.NoError(t, err)
	require.NotEqual(t, uuid.Nil, pass.ID)
	canaries := []string{"canary", "Canary", "ana@", "bea@", passToken}

	ask := func(v *visitor.Visitor, method, path string, form url.Values, headers ...string) func() {
		return func() { v.Ask(method, path, form, headers...) }
	}
	own := func(path string, form url.Values) func() { return func() { e.Ana.Post(path, form) } }
	gift := visitor.FilledForm()
	gift.Set("email", "canary@example.org")
	gift.Set("first_name", "Canary")
	tooMany := url.Values{}
	for n := range web.MaxFields + 1 {
		tooMany.Add("canary", fmt.Sprint(n))
	}
	var challenge string
	signIn := func() { e.Nobody.Ask("POST", "/sign-in", url.Values{"email": {"canary@example.org"}}) }
	for _, c := range []struct {
		do   func()
		want securitylog.Event
	}{
		{ask(e.Nobody, "GET", "/portal", nil), securitylog.SessionMissing},
		{ask(e.Nobody, "GET", "/portal", nil, "Cookie: konbit-session=canary"), securitylog.SessionUnknown},
		{ask(e.Ana, "POST", "/portal/details", url.Values{"session": {"canary"}}), securitylog.FormTokenWrong},
		{ask(e.Ana, "POST", "/portal/details", url.Values{"first_name": {"canary"}}, "Sec-Fetch-Site: cross-site"), securitylog.OriginRefused},
		{ask(e.Bea, "GET", "/portal/gifts/"+e.Objects["/portal/gifts/"]+"/receipt", nil), securitylog.ObjectRefused},
		{ask(e.Nobody, "GET", "/letters/canary", nil), securitylog.LinkRefused},
		{func() { e.PostWebhook("tsne", []byte(`{"canary":1}`), "t=1,v1=canary") }, securitylog.WebhookRefused},
		{func() { e.PostWebhook("canary", []byte(`{}`), "t=1,v1=canary") }, securitylog.WebhookRefused},
		{ask(e.Nobody, "POST", "/sign-in", tooMany), securitylog.FormTooLarge},
		{ask(e.Nobody, "POST", "/sign-in?canary=%zz", url.Values{}), securitylog.FormMalformed},
		{ask(e.Nobody, "POST", "/sign-in", url.Values{"email": {"canary"}}), securitylog.FormInvalid},
		{ask(e.Nobody, "DELETE", "/portal", nil), securitylog.MethodRefused},
		{signIn, securitylog.SignInRequested},
		{ask(e.Nobody, "POST", "/sign-in/code", url.Values{"email": {"canary@example.org"}, "code": {"00000000"}}), securitylog.CodeWrong},
		{ask(e.Nobody, "POST", "/sign-in/link", url.Values{"link": {"canary"}}), securitylog.SignInLinkWrong},
		{func() {
			link, _, _ := e.Nobody.SignInEmail()
			canaries = append(canaries, link)
			e.Nobody.Ask("POST", "/sign-in/link", url.Values{"link": {link}})
		}, securitylog.SignedIn},
		{func() { e.Nobody.Post("/sign-out", url.Values{}) }, securitylog.SignedOut},
		{own("/portal/addresses", url.Values{"email": {"canary2@example.org"}}), securitylog.SignInRequested},
		{func() {
			_, code, _ := e.Ana.SignInEmail()
			canaries = append(canaries, code, strings.ReplaceAll(code, " ", ""))
			e.Ana.Post("/portal/addresses/prove", url.Values{"email": {"canary2@example.org"}, "code": {code}})
		}, securitylog.AddressLinked},
		{own("/portal/addresses/prove", url.Values{"email": {"canary2@example.org"}, "code": {"11111111"}}), securitylog.CodeWrong},
		{own("/portal/addresses/choose", url.Values{"email": {"canary2@example.org"}}), securitylog.AddressChosen},
		{func() {
			lost := e.SettledGift(visitor.FormOf("canary4@example.org", "Canary"))
			token, _ := e.Access.MoveToken(donoraccess.Move{DonorID: lost.DonorID, To: "canary3@example.org"})
			canaries = append(canaries, token)
			e.Nobody.Ask("POST", "/addresses/move", url.Values{"link": {token}})
		}, securitylog.AddressMoved},
		{own("/portal/addresses/part", url.Values{"email": {"canary2@example.org"}}), securitylog.AddressUnlinked},
		{ask(e.Ana, "GET", "/portal/records/data.json", nil), securitylog.DataCopied},
		{func() { e.Bea.Post("/portal/records/erasure", url.Values{"do": {"erase"}}) }, securitylog.ErasureRequested},
		{func() { e.Bea.Post("/portal/records/erasure", url.Values{"do": {"withdraw"}}) }, securitylog.ErasureWithdrawn},
		{func() { challenge = e.Nobody.Ask("POST", "/give/csio", gift).Page }, securitylog.ChallengeShown},
		{func() {
			token := regexp.MustCompile(`name="step" value="([^"]+)"`).FindStringSubmatch(challenge)
			require.NotNil(t, token, challenge)
			canaries = append(canaries, token[1])
			answer := url.Values{"step": {token[1]}, "proof": {"0"}}
			for name, values := range gift {
				answer[name] = values
			}
			e.Nobody.Ask("POST", "/give/csio", answer)
		}, securitylog.ChallengeFailed},
		{ask(e.Nobody, "POST", "/give/csio/event", url.Values{"pass": {"canary"}}), securitylog.EventPassWrong},
		{ask(e.Nobody, "POST", "/give/csio/event", url.Values{"pass": {passToken}}), securitylog.EventModeOpened},
		{func() {
			for range 6 {
				gift.Set("form", uuid.NewString())
				gift.Set("email", "another.canary@example.org")
				e.Nobody.Ask("POST", "/give/csio", gift)
			}
		}, securitylog.LimitReached},
		{ask(e.Nobody, "POST", "/plans/open", url.Values{"link": {"canary"}}), securitylog.LinkRefused},
		{ask(e.Nobody, "GET", "/plans/"+e.Objects["/plans/"], nil), securitylog.LinkRefused},
		{ask(e.Bearer, "POST", "/plans/"+e.Objects["/plans/"], url.Values{"session": {"canary"}}), securitylog.FormTokenWrong},
		{func() {
			path := "/plans/" + e.Objects["/plans/"]
			e.Bearer.Ask("POST", path, url.Values{
				"session": {e.Bearer.TokenOn(path)}, "do": {"change"}, "press": {uuid.NewString()},
				"amount": {"5000"}, "frequency": {"weekly"}, "fund": {"general"},
			})
		}, securitylog.AccessRefused},
		{func() { visitor.New(t, e.Program).OpenPlan(e.PlanLink) }, securitylog.LinkOpened},
		{ask(e.Nobody, "POST", e.Links["/plans/{ref}/{key}"], url.Values{}), securitylog.LinkRequested},
		{func() {
			for range 4 {
				e.Nobody.Ask("POST", e.Links["/plans/{ref}/{key}"], url.Values{})
			}
		}, securitylog.LimitReached},
		{own("/portal/sessions/end", url.Values{}), securitylog.SessionsEnded},
		{func() { canaries = append(canaries, e.Max().Key, visitor.StaffPassword) }, securitylog.StaffLinkUsed}, // and FactorChanged, StaffSignedIn
		{func() {
			e.Max().Stale()
			e.Max().PostOffice("/office/account", url.Values{"do": {"confirm"}, "code": {e.Max().Code()}})
		}, securitylog.FactorUsed},
		{func() { e.Max().Ask("GET", "/office/aina", nil) }, securitylog.RoleRefused},
		{ask(e.Nobody, "POST", "/office/invitation", url.Values{"link": {"canary"}}), securitylog.StaffLinkWrong},
		{ask(e.Nobody, "POST", "/office/sign-in", url.Values{"email": {"canary@example.org"}, "password": {"canary"}, "code": {"000000"}}), securitylog.StaffSignInWrong},
		{ask(e.Nobody, "POST", "/office/sign-in", url.Values{"email": {"max@example.org"}, "password": {visitor.StaffPassword}, "code": {"canary"}}), securitylog.FactorWrong},
	} {
		before := len(e.Log.String())
		c.do()
		assert.Contains(t, securityEvents(t, e.Log.String()[before:]), string(c.want), c.want)
	}
	seen := map[string]bool{}
	for _, event := range securityEvents(t, e.Log.String()) {
		seen[event] = true
	}
	metrics := scrape(t, e.Program)
	for _, d := range securitylog.Events() {
		// See TestCommandsWriteToTheSecurityLog, and the tests of passkeys in package staff.
		elsewhere := d.Event == securitylog.CommandDone || d.Event == securitylog.CommandFailed || d.Event == securitylog.PasskeyCopied
		assert.True(t, seen[string(d.Event)] || elsewhere, "nothing led to %s", d.Event)
		assert.Contains(t, metrics, fmt.Sprintf("konbit_security_events_total{event=%q}", d.Event))
	}
	for line := range strings.Lines(e.Log.String()) {
		for _, canary := range canaries {
			assert.False(t, strings.Contains(line, "msg=security") && strings.Contains(line, canary), line)
		}
	}
}

// TestNoRefusalIsMissing uses every route as everybody, with forms of other sites and with too many fields. Each response
// that refuses something has an entry in the security log, with the same reference, and none of its limits lacks a name.
func TestNoRefusalIsMissing(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonors(t)
	tooMany := url.Values{}
	for n := range web.MaxFields + 1 {
		tooMany.Add("f", fmt.Sprint(n))
	}
	for _, r := range routes(t, e.Program) {
		if endsSession(r) > 0 {
			continue
		}
		path := r.path(r.object(t, e))
		for _, v := range []*visitor.Visitor{e.Nobody, e.Bea, e.Ana} {
			use(e, r, v, path)
			use(e, r, v, r.path(missing))
		}
		if r.isOpened() {
			use(e, r, e.Bearer, path)
		}
		if r.writes() {
			e.Ana.Ask(r.Method, path, url.Values{}, "Sec-Fetch-Site: cross-site")
			e.Ana.Ask(r.Method, path, tooMany)
		}
		e.Nobody.Ask(http.MethodPut, path, nil)
	}
	log := e.Log.String()
	securityEvents(t, log)
	told := map[string]bool{}
	for _, found := range securityLine.FindAllStringSubmatch(log, -1) {
		told[found[3]] = true
		assert.Equal(t, found[1] == "limit_reached", found[4] != "", found[0])
	}
	refusals := map[string]int{}
	for _, found := range requestLine.FindAllStringSubmatch(log, -1) {
		reference, route, status := found[1], found[2], found[3]
		switch status {
		case "404":
			if !strings.Contains(route, "{") || strings.Contains(route, "{org}") || route == "" {
				continue // there is nothing at the address
			}
		case "400", "401", "403", "405", "413", "422", "429":
		default:
			continue
		}
		refusals[status]++
		assert.True(t, told[reference], "no entry for %s", found[0])
	}
	for _, status := range []string{"400", "401", "403", "404", "405", "413", "422"} {
		assert.Positive(t, refusals[status], status)
	}
}

// scrape returns the metrics of the program.
func scrape(t *testing.T, h *program.Program) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.Metrics.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	return w.Body.String()
}
