package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/workshop/testkit/program"
)

// visitor is a browser that keeps cookies.
type visitor struct {
	t       *testing.T
	h       *program.Program
	cookies map[string]string
}

func newVisitor(t *testing.T, h *program.Program) *visitor {
	return &visitor{t, h, map[string]string{}}
}

func (v *visitor) ask(method, path string, form url.Values, headers ...string) answer {
	v.t.Helper()
	var pairs []string
	for name, value := range v.cookies {
		pairs = append(pairs, name+"="+value)
	}
	if len(pairs) > 0 {
		headers = append(headers, "Cookie: "+strings.Join(pairs, "; "))
	}
	got := ask(v.t, method, v.h.URL+path, form, headers...)
	for _, c := range got.Cookies() {
		if v.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(v.cookies, c.Name)
		}
	}
	return got
}

var (
	letterLink = regexp.MustCompile(`https?://\S+/sign-in/link\S*#(\S+)`)
	letterCode = regexp.MustCompile(`(?m)^    (\d{4} \d{4})\r?$`)
	formToken  = regexp.MustCompile(`name="session" value="([^"]+)"`)
)

// letter sends whatever letter was asked for last, and answers what it holds; nothing when none went out.
func (v *visitor) letter() (link, code, text string) {
	v.t.Helper()
	before := len(v.h.Mail.Messages())
	var id uuid.UUID
	require.NoError(v.t, v.h.DB.Owner.Get(&id, `SELECT id FROM sign_in ORDER BY n DESC LIMIT 1`))
	require.NoError(v.t, v.h.SignIns.Mail(v.t.Context(), id))
	all := v.h.Mail.Messages()
	if len(all) == before {
		return "", "", ""
	}
	l, err := all[0].Email()
	require.NoError(v.t, err)
	if found := letterLink.FindStringSubmatch(l.Text); found != nil {
		link = found[1]
	}
	found := letterCode.FindStringSubmatch(l.Text)
	require.NotNil(v.t, found, l.Text)
	return link, found[1], l.Text
}

// enter signs in by the link.
func (v *visitor) enter(email string) *visitor {
	v.t.Helper()
	got := v.ask("POST", "/sign-in", url.Values{"email": {email}})
	require.Equal(v.t, http.StatusSeeOther, got.StatusCode, got.body)
	link, _, _ := v.letter()
	require.NotEmpty(v.t, link, "no letter")
	got = v.ask("POST", "/sign-in/link", url.Values{"link": {link}})
	require.Equal(v.t, http.StatusSeeOther, got.StatusCode, got.body)
	return v
}

// token is what the session's forms bring back.
func (v *visitor) token() string {
	v.t.Helper()
	found := formToken.FindStringSubmatch(v.ask("GET", "/portal", nil).body)
	require.NotNil(v.t, found)
	return found[1]
}

// post posts a form of the visitor's own pages.
func (v *visitor) post(path string, form url.Values) answer {
	v.t.Helper()
	form.Set("session", v.token())
	return v.ask("POST", path, form)
}

func from(email, first string) donation.Form {
	f := program.ValidForm()
	f.Contact.Email, f.Contact.FirstName = email, first
	return f
}

// planned is a recurring gift that has begun.
func planned(t *testing.T, h *program.Program, f donation.Form) donation.Donation {
	t.Helper()
	f.Frequency, f.Occurrences = "monthly", "12"
	d := h.StartedGift(f)
	h.Pay(d)
	h.DeliverNew()
	h.DrainAll()
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM plan WHERE id = $1 AND begun_at IS NOT NULL`, d.ID))
	return d
}
