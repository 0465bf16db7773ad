package portal_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donor"
	"konbit/internal/mail"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/phrase"
	"konbit/internal/workshop/testkit/visitor"
)

// linkUses use the link of each row of the table of links, and report whether it worked.
type linkUses map[string]func() bool

// newLinks makes a link of each row for a person, as the next emails would have them. A link and a code to sign in are
// used up together, so that only the one named is among them.
func (s sender) newLinks(g giver, signIn string) linkUses {
	s.t.Helper()
	links, err := s.Receipts.Plans.Of(s.t.Context(), g.plan.PublicRef, g.lang)
	require.NoError(s.t, err)
	_, token, _ := strings.Cut(links.ManageURL, "#")
	_, cardToken, _ := strings.Cut(links.CardURL, "#")
	stop := strings.TrimPrefix(s.Receipts.StopURL(g.plan.DonorID, "statements", g.lang), s.URL)
	asker, signInToken, code := s.sendSignIn(g)
	all := linkUses{
		"new address": func() bool {
			token, _ := s.Access.MoveToken(donoraccess.Move{DonorID: g.plan.DonorID, To: "new@example.net"})
			move, valid := s.Access.ReadMoveToken(token)
			donors, err := donor.ByIDs(s.t.Context(), s.DB.Server, []uuid.UUID{move.DonorID})
			require.NoError(s.t, err)
			return valid && len(donors) == 1 && !donors[0].IsErased()
		},
		"give again": func() bool {
			return visitor.New(s.t, s.Program).Ask("GET", "/give/"+allLanguages, nil).StatusCode == http.StatusOK
		},
		"plan": s.opensPlan("link", token), "plan's card": s.opensPlan("link", cardToken), "plan's code": s.opensPlan("code", links.Code),
		"plan, before `plan_link`": s.mailsLink(g, visitor.OldPlanLink(s.Program, g.plan.PublicRef)),
		"card, before `plan_link`": s.mailsLink(g, visitor.OldCardLink(s.Program, g.plan.DonorID)),
		"stop": func() bool {
			return visitor.New(s.t, s.Program).Ask("POST", stop, url.Values{"List-Unsubscribe": {"One-Click"}}).StatusCode == http.StatusOK
		},
		"sign-in": func() bool {
			return asker.Ask("POST", "/sign-in/link", url.Values{"link": {signInToken}}).StatusCode == http.StatusSeeOther
		},
		"sign-in's code": func() bool {
			form := url.Values{"email": {g.address}, "code": {code}}
			return visitor.New(s.t, s.Program).Ask("POST", "/sign-in/code", form).StatusCode == http.StatusSeeOther
		},
	}
	for _, name := range []string{"sign-in", "sign-in's code"} {
		if name != signIn {
			delete(all, name)
		}
	}
	return all
}

// opensPlan returns the use of a link to a plan: it opens the plan's page.
func (s sender) opensPlan(field, secret string) func() bool {
	return func() bool {
		v := visitor.New(s.t, s.Program)
		got := v.Ask("POST", "/plans/open", url.Values{field: {secret}})
		return got.StatusCode == http.StatusSeeOther && v.Ask("GET", got.Header.Get("Location"), nil).StatusCode == http.StatusOK
	}
}

// mailsLink returns the use of a link sent before plan_link: an email with a valid link goes to the donor.
func (s sender) mailsLink(g giver, old string) func() bool {
	return func() bool {
		s.Exec(`DELETE FROM guard_count`)
		before := len(s.Mail.Messages())
		if visitor.New(s.t, s.Program).Ask("POST", old, url.Values{}).StatusCode != http.StatusOK {
			return false
		}
		require.NoError(s.t, s.plans.MailFreshLink(s.t.Context(), g.plan.ID))
		return len(s.Mail.Messages()) > before
	}
}

// linkEnd is something that may end links.
type linkEnd struct {
	name string
	do   func(all linkUses)
}

// linkEnds returns what may end the links of a person, in the order in which it is done.
func (s sender) linkEnds(g giver, signIn string) []linkEnd {
	accountant, mailed := "accountant-"+string(g.lang)+"@example.com", s.receiptOf(g.plan.ID)
	require.NoError(s.t, s.Receipts.Mail(s.t.Context(), mailed.ID))
	ana, second := s.signIn(g), g
	second.address = g.other
	bea := s.signIn(second)
	return []linkEnd{
		{"use", func(all linkUses) {
			for name, works := range all {
				assert.True(s.t, works(), name)
			}
		}},
		{"newer email", func(linkUses) { s.newLinks(g, signIn) }},
		{"newer email of the same browser", func(linkUses) {
			asker := s.askers[g.address]
			require.Equal(s.t, http.StatusSeeOther, asker.Ask("POST", "/sign-in", url.Values{"email": {g.address}}).StatusCode)
			asker.SignInEmail()
		}},
		{"use of a newer email", func(linkUses) { s.signIn(g) }},
		{"end of all sessions", func(linkUses) {
			require.Equal(s.t, http.StatusSeeOther, ana.Post("/portal/sessions/end", url.Values{}).StatusCode)
		}},
		{"linking", func(linkUses) { s.link(bea, g.address) }},
		{"unlinking", func(linkUses) {
			require.Equal(s.t, http.StatusSeeOther, bea.Post("/portal/addresses/part", url.Values{"email": {g.address}}).StatusCode)
		}},
		{"corrected address", func(linkUses) {
			for _, to := range []string{accountant, g.address} {
				require.NoError(s.t, mail.Resender{Receipts: s.Receipts, Queue: s.Queue}.Redirect(s.t.Context(), mailed, to, "a test"))
			}
		}},
		{"erasure", func(linkUses) {
			s.cancel(g)
			s.erase(g)
		}},
	}
}

// TestWhatEndsLinks: each link of the table of links in internal/mail/README.md ends by what the table says, and by
// nothing else.
func TestWhatEndsLinks(t *testing.T) {
	s := newSender(t)
	rows, _ := readLinkTable(t)
	for lang, signIn := range map[phrase.Language]string{"en": "sign-in", "pt": "sign-in's code"} {
		g, ended := s.newGiver(lang), map[string][]string{}
		for _, end := range s.linkEnds(g, signIn) {
			s.Exec(`DELETE FROM guard_count`)
			all := s.newLinks(g, signIn)
			end.do(all)
			for name, works := range all {
				if !works() {
					ended[name] = append(ended[name], end.name)
				}
			}
		}
		for _, r := range rows {
			if !strings.HasPrefix(r.name, "sign-in") || r.name == signIn {
				slices.Sort(ended[r.name])
				assert.Equal(t, r.endedBy, ended[r.name], r.name)
			}
		}
	}
}

// TestHowLongLinksLast: each link works until the end that the table of links says, by the database's clock, and not
// after it.
func TestHowLongLinksLast(t *testing.T) {
	s := newSender(t)
	rows, _ := readLinkTable(t)
	g, tried := s.newGiver(phrase.English), 0
	for _, r := range rows {
		if r.lasts == "no end" {
			continue
		}
		tried++
		if r.name == "new address" { // it is signed, and stored nowhere
			for left, want := range map[time.Duration]bool{2 * time.Minute: true, -time.Second: false} {
				made := s.Access
				made.Now = func() time.Time { return time.Now().AddDate(0, 0, -7).Add(left) }
				token, _ := made.MoveToken(donoraccess.Move{DonorID: g.plan.DonorID, To: "new@example.net"})
				_, valid := s.Access.ReadMoveToken(token)
				assert.Equal(t, want, valid, left)
			}
			continue
		}
		// Months differ in length, so that "13 months and a day ago" can be a month's end too early.
		table, made, margin := "plan_link", "created_at", "5 days"
		if strings.HasPrefix(r.name, "sign-in") {
			table, made, margin = "sign_in", "asked_at", "2 minutes"
		}
		for _, c := range []struct {
			left string
			want bool
		}{{margin, true}, {"-1 second", false}} {
			s.Exec(`DELETE FROM sign_in`) // one that was used after the moved time would end the new one
			works := s.newLinks(g, r.name)[r.name]
			newest := fmt.Sprintf(`id = (SELECT id FROM %s ORDER BY %s DESC LIMIT 1)`, table, made)
			require.Equal(t, 1, s.Count(fmt.Sprintf(`SELECT count(*) FROM %s WHERE expires_at = %s + $1::interval AND %s`, table, made, newest), r.lasts), r.name)
			s.Exec(fmt.Sprintf(`UPDATE %[1]s SET %[2]s = now() - $1::interval + $2::interval, expires_at = now() - $1::interval + $2::interval + $1::interval
				WHERE %[3]s`, table, made, newest), r.lasts, c.left)
			assert.Equal(t, c.want, works(), "%s with %s left", r.name, c.left)
		}
	}
	require.Equal(t, 6, tried)
}
