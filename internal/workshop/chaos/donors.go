package chaos

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"testing"
	"time"

	"github.com/google/uuid"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// give submits the form as a donor, at one server after another, until there is a payment page, and pays
// there.
func give(t testing.TB, s *e2e.Stack, donor int, limit time.Duration) {
	form := url.Values{
		"form": {uuid.NewString()}, "amount": {"20"}, "frequency": {"once"}, "first_name": {"Donor"}, "last_name": {fmt.Sprint(donor)},
		"email": {fmt.Sprintf("donor%d@donor.example", donor)},
	}
	var last error
	servers := s.Servers()
	for at, deadline := donor, time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var page string
		at++
		if page, last = submit(servers[at%len(servers)].URL(), form); last == nil {
			if last = s.Stripe().Pay(sessionOf(page), stripefake.GoodCard); last == nil {
				return
			}
		}
	}
	t.Errorf("donor %d could not give: %v", donor, last)
}

// submit sends a form and returns the payment page, or [errLater].
func submit(server string, form url.Values) (page string, err error) {
	response, err := program.Client().PostForm(server+"/give/csio", form)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != "" {
		return "", errLater
	}
	if response.StatusCode != http.StatusSeeOther {
		return "", fmt.Errorf("the form is answered %s", response.Status)
	}
	return response.Header.Get("Location"), nil
}

// sessionOf returns the session in a payment page's address.
func sessionOf(page string) string { return path.Base(page) }
