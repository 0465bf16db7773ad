package mailcatch

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/pquerna/otp/totp"
)

// A Login is what one staff member of the demo signs in with.
type Login struct {
	Email, Role string
	Entity, Org string // slugs; one of them may be empty
	Password    string
	Secret      string // of the codes, in base32
}

// codePeriod is how long a code is shown, in seconds (RFC 6238).
const codePeriod = 30

// A Code is a login with its present code, as GET /authenticator.json answers it.
type Code struct {
	Email       string `json:"email"`
	Role        string `json:"role"`
	Entity      string `json:"entity"`
	Org         string `json:"org"`
	Password    string `json:"password"`
	Code        string `json:"code"`
	SecondsLeft int    `json:"seconds_left"` // until the next code
}

// SetLogins sets the logins that the authenticator shows. It reports an error if a secret cannot be read.
func (s *Server) SetLogins(logins []Login) error {
	for _, l := range logins {
		if _, err := totp.GenerateCode(l.Secret, time.Time{}); err != nil {
			return fmt.Errorf("mailcatch: the secret of %s: %w", l.Email, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins = slices.Clone(logins)
	return nil
}

// codes returns the logins with the codes of the present, in the order in which they were set.
func (s *Server) codes() []Code {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now()
	codes := make([]Code, len(s.logins))
	for i, l := range s.logins {
		code, _ := totp.GenerateCode(l.Secret, now) // SetLogins has tried it
		codes[i] = Code{l.Email, l.Role, l.Entity, l.Org, l.Password, code, codePeriod - int(now.Unix()%codePeriod)}
	}
	return codes
}

func (s *Server) authenticator(w http.ResponseWriter, _ *http.Request) {
	render(w, "authenticator.html", s.codes())
}

func (s *Server) authenticatorList(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.codes()) // fails only if the reader has disconnected
}
