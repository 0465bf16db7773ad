package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pquerna/otp/totp"

	"konbit/internal/workshop/mailcatch"
)

// member is a member of the demo's staff before the set-up.
type member struct {
	mailcatch.Login
	name, language string
}

// staffMembers are the demo's staff: every role, and in each entity two people of finance, of whom one requests and the other
// approves. Admins come last: whoever is an admin gets an email about each later set-up.
var staffMembers = []member{
	{mailcatch.Login{Email: "clara@staff.example", Role: "finance", Entity: "tsne", Password: "quiet-harbor-paints-lemons"}, "Clara Fonseca", "en"},
	{mailcatch.Login{Email: "diego@staff.example", Role: "finance", Entity: "tsne", Password: "mango-river-lends-ladders"}, "Diego Robles", "es"},
	{mailcatch.Login{Email: "june@staff.example", Role: "entry", Entity: "tsne", Password: "copper-owl-sorts-letters"}, "June Abbott", "en"},
	{mailcatch.Login{Email: "noor@staff.example", Role: "auditor", Entity: "tsne", Password: "winter-desk-counts-beans"}, "Noor Haddad", "en"},
	{mailcatch.Login{Email: "marta@staff.example", Role: "finance", Entity: "tsne", Org: "csio", Password: "violet-train-keeps-maps"}, "Marta Quispe", "es"},
	{mailcatch.Login{Email: "abel@staff.example", Role: "finance", Entity: "grassroots-international", Password: "cedar-kite-finds-islands"},
		"Abel Jean", "en"},
	{mailcatch.Login{Email: "rosa@staff.example", Role: "finance", Entity: "grassroots-international", Password: "amber-goat-rents-bridges"},
		"Rosa Lima", "es"},
	{mailcatch.Login{Email: "ines@staff.example", Role: "admin", Entity: "tsne", Password: "granite-fern-opens-doors"}, "Inés Cabral", "en"},
	{mailcatch.Login{Email: "otto@staff.example", Role: "admin", Entity: "tsne", Password: "silver-plum-mends-clocks"}, "Otto Weiss", "en"},
	{mailcatch.Login{Email: "lucie@staff.example", Role: "admin", Entity: "grassroots-international", Password: "orange-whale-reads-charts"},
		"Lucie Pierre", "en"},
}

// loginsFile is where the secrets of the staff's codes are kept between two runs. The program shows them once, at the set-up.
func (d *demo) loginsFile() string { return filepath.Join(d.dir, "staff.json") }

// addStaff adds the staff as an operator does, by konbit staff add, and sets up their passwords and codes on the pages that
// the printed links open. A person who is set up and whose secret is kept is left alone.
func (d *demo) addStaff(ctx context.Context) error {
	enrolled, err := d.enrolledStaff(ctx)
	if err != nil {
		return err
	}
	kept := d.keptLogins()
	logins := make([]mailcatch.Login, len(staffMembers))
	failed := make([]error, len(staffMembers))
	var all sync.WaitGroup
	few := make(chan struct{}, 2) // set-ups at the same time: each costs time of a processor
	for i, m := range staffMembers {
		at := slices.IndexFunc(kept, func(l mailcatch.Login) bool { return l.Email == m.Email })
		if at >= 0 && enrolled[m.Email] {
			logins[i] = kept[at]
			continue
		}
		few <- struct{}{}
		all.Go(func() {
			defer func() { <-few }()
			if logins[i], failed[i] = d.setUp(ctx, m, enrolled[m.Email]); failed[i] != nil {
				failed[i] = fmt.Errorf("%s: %w", m.Email, failed[i])
			}
		})
	}
	all.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	content, err := json.MarshalIndent(logins, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(d.loginsFile(), content, 0o600); err != nil {
		return err
	}
	d.staff = logins
	return d.mail.SetLogins(logins)
}

// enrolledStaff returns the addresses of the staff that can sign in.
func (d *demo) enrolledStaff(ctx context.Context) (map[string]bool, error) {
	out, err := d.outputOf(ctx, "staff", "list", "--json")
	if err != nil {
		return nil, err
	}
	var lines []struct {
		Email    string
		Enrolled bool
	}
	if err := json.Unmarshal(out, &lines); err != nil {
		return nil, fmt.Errorf("konbit staff list: %w", err)
	}
	enrolled := map[string]bool{}
	for _, l := range lines {
		enrolled[l.Email] = l.Enrolled
	}
	return enrolled, nil
}

// keptLogins returns the logins of the run before; none if there was none.
func (d *demo) keptLogins() (logins []mailcatch.Login) {
	content, err := os.ReadFile(d.loginsFile())
	if err != nil || json.Unmarshal(content, &logins) != nil {
		return nil
	}
	return logins
}

var invitationLink = regexp.MustCompile(`(?m)^http\S+$`)

// setUp adds a member and sets up how they sign in. A member who can sign in, but whose secret is lost, is reset.
func (d *demo) setUp(ctx context.Context, m member, enrolled bool) (mailcatch.Login, error) {
	args := []string{"staff", "add", m.Email, "--role", m.Role, "--name", m.name, "--language", m.language, "--reason", "staff of the demo"}
	if m.Org != "" {
		args = append(args, "--org", m.Org)
	} else {
		args = append(args, "--entity", m.Entity)
	}
	if enrolled {
		args = []string{"staff", "reset", m.Email, "--reason", "the demo lost the secret of the codes"}
	}
	for try := 1; ; try++ {
		out, err := d.outputOf(ctx, args...)
		if err != nil {
			return m.Login, err
		}
		m.Secret, err = enrol(ctx, d.settings["BASE_URL"], invitationLink.FindString(string(out)), m.Password)
		if err == nil || try == 3 || ctx.Err() != nil {
			return m.Login, err
		}
		args = []string{"staff", "reset", m.Email, "--reason", "the set-up of the demo was interrupted"} // a link works once
	}
}

// outputOf runs one command of the program and returns what it prints.
func (d *demo) outputOf(ctx context.Context, args ...string) ([]byte, error) {
	var problems bytes.Buffer
	cmd := exec.CommandContext(ctx, d.program(), args...)
	cmd.Dir, cmd.Env, cmd.Stderr = d.dir, d.settings.environ(), &problems
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("konbit %s: %w\n%s", strings.Join(args[:2], " "), err, problems.String())
	}
	return out, nil
}

var (
	formToken = regexp.MustCompile(`name="session" value="([^"]+)"`)
	appKey    = regexp.MustCompile(`id="key">([A-Z2-7 ]+)<`)
)

// enrol opens the link of an invitation and sets up a password and an authenticator app, as a browser without JavaScript
// does. It returns the app's secret, in base32.
func enrol(ctx context.Context, base, link, password string) (secret string, err error) {
	b, err := newBrowser(base)
	if err != nil {
		return "", err
	}
	post := func(path string, form url.Values) (page string, err error) {
		page, _, err = b.ask(ctx, http.MethodPost, path, form)
		return page, err
	}
	page, err := post("/office/invitation", url.Values{"link": {link}})
	if err != nil {
		return "", err
	}
	token := formToken.FindStringSubmatch(page)
	if token == nil {
		return "", errors.New("the link of the invitation does not open the set-up")
	}
	if page, err = post("/office/setup", url.Values{"session": {token[1]}, "do": {"password"}, "new_password": {password}}); err != nil {
		return "", err
	}
	key := appKey.FindStringSubmatch(page)
	if key == nil {
		return "", errors.New("the set-up shows no secret of an app")
	}
	secret = strings.ReplaceAll(key[1], " ", "")
	// The server accepts the code before the present one, and each code once. So the present one is left for the sign-in.
	for _, age := range []time.Duration{30 * time.Second, 0} {
		code, err := totp.GenerateCode(secret, time.Now().Add(-age))
		if err != nil {
			return "", err
		}
		if _, err := post("/office/setup", url.Values{"session": {token[1]}, "do": {"code"}, "code": {code}}); err != nil {
			return "", err
		}
		// The page of own ways to sign in opens when the set-up is complete, even if a busy machine answered the code too late.
		_, status, err := b.ask(ctx, http.MethodGet, "/office/account", nil)
		if err != nil || status == http.StatusOK {
			return secret, err
		}
	}
	return "", errors.New("the set-up does not accept the code")
}
