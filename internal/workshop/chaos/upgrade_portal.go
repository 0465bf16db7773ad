package chaos

import (
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

var (
	signInSecret = regexp.MustCompile(`http://\S+/sign-in/link\S*#(\S+)`)
	portalLink   = regexp.MustCompile(`href="(/portal/[^"#]+)"`)
	sessionField = regexp.MustCompile(`name="session" value="([^"]+)"`)
)

// visitPortal signs the donor of the newest plan in on one server. The donor then reads every page of the portal on
// each server that has a link to it, and changes and ends nothing but the plan, which the other server pauses. A page
// that is new in this release exists on its servers only.
func (u *upgrade) visitPortal(at, other *e2e.Server) {
	u.t.Helper()
	plan := u.plans[len(u.plans)-1]
	client := program.Client()
	var err error
	client.Jar, err = cookiejar.New(nil)
	require.NoError(u.t, err)
	ask := func(want int, send func() (*http.Response, error)) string {
		u.t.Helper()
		response, err := send()
		require.NoError(u.t, err)
		defer response.Body.Close()
		page, err := io.ReadAll(response.Body)
		require.NoError(u.t, err)
		require.Equal(u.t, want, response.StatusCode, "%s %s\n%s", response.Request.Method, response.Request.URL, page)
		return string(page)
	}
	get := func(server *e2e.Server, path string) string {
		u.t.Helper()
		return ask(http.StatusOK, func() (*http.Response, error) { return client.Get(server.URL() + path) })
	}
	post := func(server *e2e.Server, path string, form url.Values) {
		u.t.Helper()
		ask(http.StatusSeeOther, func() (*http.Response, error) { return client.PostForm(server.URL()+path, form) })
	}
	post(at, "/sign-in", url.Values{"email": {plan.email}})
	post(other, "/sign-in/link", url.Values{"link": {u.signInEmail(plan.email)}})

	type visit struct {
		server *e2e.Server
		path   string
	}
	var pages []visit
	for _, path := range []string{"/portal", "/portal/gifts", "/portal/plans", "/portal/records", "/portal/details"} {
		pages = append(pages, visit{at, path}, visit{other, path})
	}
	seen := map[visit]bool{}
	var planPath, token string
	for len(pages) > 0 {
		next := pages[0]
		if pages = pages[1:]; seen[next] {
			continue
		}
		seen[next] = true
		page := get(next.server, next.path)
		for _, link := range portalLink.FindAllStringSubmatch(page, -1) {
			pages = append(pages, visit{next.server, regexp.MustCompile(`[?&].*`).ReplaceAllString(link[1], "")})
		}
		if found := sessionField.FindStringSubmatch(page); found != nil {
			token = found[1]
		}
		if regexp.MustCompile(`^/portal/plans/[^/]+$`).MatchString(next.path) {
			planPath = next.path
		}
	}
	require.Greater(u.t, len(seen), 14, "%v", seen)
	require.NotEmpty(u.t, planPath)
	post(other, planPath, url.Values{"session": {token}, "do": {"skip"}, "press": {uuid.NewString()}})
}

// signInEmail waits for the sign-in email to an address and returns its secret.
func (u *upgrade) signInEmail(address string) (secret string) {
	u.t.Helper()
	testkit.Eventually(u.t, time.Minute, func() error {
		for _, m := range u.Mail().Messages() {
			email, err := m.Email()
			if err != nil {
				return err
			}
			if found := signInSecret.FindStringSubmatch(email.Text); found != nil && regexp.MustCompile(regexp.QuoteMeta(address)).Match(m.Raw) {
				secret = found[1]
				return nil
			}
		}
		return errors.New("the sign-in email has not arrived")
	})
	return secret
}
