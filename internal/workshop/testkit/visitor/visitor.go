// Package visitor visits the program's pages over HTTP as browsers do: it keeps cookies, signs donors in, and posts
// forms. The tests of the kernel and of the areas use it.
package visitor

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/donoraccess"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// Response is a response whose body was read.
type Response struct {
	*http.Response
	Page string
}

// Ask makes a request with headers, each as "Name: value". It checks the cookies of the response: see checkCookies.
func Ask(t testing.TB, method, address string, form url.Values, headers ...string) Response {
	t.Helper()
	request, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if request.Header.Set(name, value); name == "Host" {
			request.Host = value
		}
	}
	response, err := program.Client().Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	checkCookies(t, response)
	return Response{response, string(body)}
}

// checkCookies reports an error if a script can read a cookie, or if it is sent to another host. Over HTTPS the
// cookie's name must have the prefix by which browsers bind it to the host.
func checkCookies(t testing.TB, response *http.Response) {
	t.Helper()
	secure := response.Header.Get("Strict-Transport-Security") != ""
	for _, c := range response.Cookies() {
		sameSite := c.SameSite >= http.SameSiteLaxMode && c.SameSite <= http.SameSiteStrictMode
		assert.True(t, c.HttpOnly && c.Path == "/" && c.Domain == "" && sameSite, "%s", c.Raw)
		assert.Equal(t, secure, c.Secure, "%s", c.Raw)
		assert.Equal(t, secure, strings.HasPrefix(c.Name, "__Host-"), "%s", c.Raw)
	}
}

// Visitor is a browser that keeps cookies.
type Visitor struct {
	Cookies map[string]string

	t testing.TB
	h *program.Program
}

// New returns a browser without cookies.
func New(t testing.TB, h *program.Program) *Visitor {
	return &Visitor{map[string]string{}, t, h}
}

// Ask makes a request with the visitor's cookies and keeps those of the response.
func (v *Visitor) Ask(method, path string, form url.Values, headers ...string) Response {
	v.t.Helper()
	var pairs []string
	for name, value := range v.Cookies {
		pairs = append(pairs, name+"="+value)
	}
	if len(pairs) > 0 {
		headers = append(headers, "Cookie: "+strings.Join(pairs, "; "))
	}
	got := Ask(v.t, method, v.h.URL+path, form, headers...)
	for _, c := range got.Cookies() {
		if v.Cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(v.Cookies, c.Name)
		}
	}
	return got
}

var (
	signInLink = regexp.MustCompile(`https?://\S+/sign-in/link\S*#(\S+)`)
	signInCode = regexp.MustCompile(`(?m)^    (\d{4} \d{4})\r?$`)
	formToken  = regexp.MustCompile(`name="session" value="([^"]+)"`)
)

// SignInEmail returns the link's secret, the code and the text of the sign-in email that was requested last; all are empty
// if there is none. It sends the email, unless the program's workers do: a second email would end the first one's link.
func (v *Visitor) SignInEmail() (link, code, text string) {
	v.t.Helper()
	before := len(v.h.Mail.Messages())
	var id uuid.UUID
	require.NoError(v.t, v.h.DB.Owner.Get(&id, `SELECT id FROM sign_in ORDER BY n DESC LIMIT 1`))
	const jobs = `SELECT count(*) FROM river_job WHERE kind = 'sign_in_letter' AND args->>'sign_in_id' = $1`
	if v.h.Working() {
		if v.h.Count(jobs, id.String()) == 0 {
			return "", "", ""
		}
		testkit.Eventually(v.t, time.Minute, func() error {
			if v.h.Count(jobs+` AND state <> 'completed'`, id.String()) > 0 {
				return errors.New("the sign-in email is not sent yet")
			}
			return nil
		})
	} else {
		forPlan := v.h.Count(jobs+` AND args->>'for_plan' = 'true'`, id.String()) > 0
		require.NoError(v.t, v.h.SignIns.Mail(v.t.Context(), donoraccess.SignInEmailJob{SignInID: id, ForPlan: forPlan}))
		if len(v.h.Mail.Messages()) == before {
			return "", "", ""
		}
	}
	for _, message := range v.h.Mail.Messages() { // the newest first; workers send other emails too
		email, err := message.Email()
		require.NoError(v.t, err)
		found := signInCode.FindStringSubmatch(email.Text)
		if found == nil {
			continue
		}
		if secret := signInLink.FindStringSubmatch(email.Text); secret != nil {
			link = secret[1]
		}
		return link, found[1], email.Text
	}
	require.Fail(v.t, "no email has a code")
	return "", "", ""
}

// SignIn signs the visitor in by the link of an email.
func (v *Visitor) SignIn(email string) *Visitor {
	v.t.Helper()
	got := v.Ask("POST", "/sign-in", url.Values{"email": {email}})
	require.Equal(v.t, http.StatusSeeOther, got.StatusCode, got.Page)
	link, _, _ := v.SignInEmail()
	require.NotEmpty(v.t, link, "no email was sent")
	got = v.Ask("POST", "/sign-in/link", url.Values{"link": {link}})
	require.Equal(v.t, http.StatusSeeOther, got.StatusCode, got.Page)
	return v
}

// Token returns the token that the forms of the visitor's session post back.
func (v *Visitor) Token() string {
	v.t.Helper()
	return v.TokenOn("/portal")
}

// Post posts a form of the visitor's own pages, with the session's token.
func (v *Visitor) Post(path string, form url.Values) Response {
	v.t.Helper()
	form.Set("session", v.Token())
	return v.Ask("POST", path, form)
}

// Upload posts a form with one file, as a browser sends it. The file's field is the last one.
func (v *Visitor) Upload(path string, form url.Values, field, filename string, content []byte) Response {
	v.t.Helper()
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for name, values := range form {
		for _, value := range values {
			require.NoError(v.t, parts.WriteField(name, value))
		}
	}
	file, err := parts.CreateFormFile(field, filename)
	require.NoError(v.t, err)
	_, err = file.Write(content)
	require.NoError(v.t, err)
	require.NoError(v.t, parts.Close())
	request, err := http.NewRequest(http.MethodPost, v.h.URL+path, &body)
	require.NoError(v.t, err)
	request.Header.Set("Content-Type", parts.FormDataContentType())
	for name, value := range v.Cookies {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	response, err := program.Client().Do(request)
	require.NoError(v.t, err)
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	require.NoError(v.t, err)
	checkCookies(v.t, response)
	return Response{response, string(page)}
}
