package donoraccess_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/keyring"
	"konbit/internal/workshop/testkit"
)

// work returns the proof of a challenge.
func work(c guard.Challenge) string { return testkit.Solve(c.Seed, c.Rounds, c.Difficulty) }

// askWorking requests an email as a browser does that answers the challenge, and returns the error at the end.
func (d fixture) askWorking(email string, from netip.Addr) error {
	d.t.Helper()
	c := donoraccess.EmailChallenge{Email: email, From: from, Browser: "x", Language: "en"}
	for range 3 {
		err := d.RequestChallenge(d.t.Context(), c)
		step, ok := err.(donoraccess.StepRequired) //nolint:errorlint // the function returns it as it is
		if !ok {
			return err
		}
		c.Step, c.Proof = step.Token, work(step.Challenge)
	}
	d.t.Fatal("a solved challenge does not pass")
	return nil
}

// TestEmailsOfOneBrowserAllWork: the email of the first of two requests comes after that of the second. Both open a
// session, in the browser that requested both; the first that is used ends the other.
func TestEmailsOfOneBrowserAllWork(t *testing.T) {
	t.Parallel()
	d, ctx := newFixture(t), t.Context()
	request := func() (cookie string, first, second donoraccess.Credentials) {
		for i, proof := range []*donoraccess.Credentials{&first, &second} {
			secret := fmt.Sprintf("secret-%d", i)
			*proof = d.requestEmail(ana, secret, uuid.Nil)
			cookie = donoraccess.AddBrowser(cookie, secret)
		}
		return cookie, first, second
	}
	cookie, first, second := request()
	pending, err := d.PendingEmail(ctx, cookie)
	require.NoError(t, err)
	require.Equal(t, ana, pending)
	_, _, err = d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: first.Token, From: homeIP, Browsers: []string{cookie}})
	require.NoError(t, err, "the link of the first")
	_, _, err = d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: second.Token, From: homeIP, Browsers: []string{cookie}})
	assertNotFound(t, err, "the first use ends all")

	cookie, first, second = request()
	assertNotFound(t, d.signInByCode(donoraccess.CodeAttempt{Email: ana, Code: first.Code}), "in another browser only the newest code works")
	require.NoError(t, d.signInByCode(donoraccess.CodeAttempt{Email: ana, Code: first.Code, Browser: cookie}), "the code of the first")
	assertNotFound(t, d.signInByCode(donoraccess.CodeAttempt{Email: ana, Code: second.Code, Browser: cookie}), "the first use ends all")

	for i := range 9 {
		cookie = donoraccess.AddBrowser(cookie, fmt.Sprint(i))
	}
	require.Equal(t, "8.7.6.5.4", cookie, "the cookie stays short")
}

// TestRequestsOfOneInstant: two requests, and the use of one, have the same time. Their numbers tell which is newer.
func TestRequestsOfOneInstant(t *testing.T) {
	t.Parallel()
	d, ctx := newFixture(t), t.Context()
	older, used := d.requestEmail(ana, "older", uuid.Nil), d.requestEmail(ana, "used", uuid.Nil)
	_, _, err := d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: used.Token, Browsers: []string{"used"}})
	require.NoError(t, err)
	newer := d.requestEmail(ana, "newer", uuid.Nil)
	d.exec(`UPDATE sign_in s SET asked_at = u.used_at, expires_at = u.used_at + interval '10 minutes' FROM sign_in u
		WHERE s.used_at IS NULL AND u.used_at IS NOT NULL`)
	_, _, err = d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: older.Token, Browsers: []string{"older"}})
	assertNotFound(t, err, "requested before the one that was used")
	_, _, err = d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: newer.Token, Browsers: []string{"newer"}})
	require.NoError(t, err, "requested after it")
}

// TestT22TheTrueUserStillGetsIn: strangers in many networks use up every email of a mailbox, and work for it. The mailbox
// gets no more than the stated number. Who signed in from their network before still gets some.
func TestT22TheTrueUserStillGetsIn(t *testing.T) {
	t.Parallel()
	d, ctx := newFixture(t), t.Context()
	proof := d.requestEmail(ana, "mine", uuid.Nil)
	_, _, err := d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: proof.Token, From: homeIP, Browsers: []string{"mine"}})
	require.NoError(t, err)
	d.exec(`DELETE FROM guard_count`)

	ofStrangers := 0
	for i := range 40 {
		if d.askWorking(ana, netip.AddrFrom4([4]byte{10, 1, byte(i), 1})) == nil {
			ofStrangers++
		}
	}
	require.Equal(t, 30, ofStrangers, "20 without a challenge, 10 by a challenge")
	elsewhere := d.askWorking(ana, netip.MustParseAddr("203.0.113.1"))
	var tooMany donoraccess.TooMany
	require.ErrorAs(t, elsewhere, &tooMany)
	require.Greater(t, tooMany.Wait, time.Minute, "the page says when")

	home := netip.MustParseAddr("192.0.2.99") // another computer of the same network
	require.ErrorAs(t, d.RequestChallenge(ctx, donoraccess.EmailChallenge{Email: ana, From: home, Browser: "x", Language: "en"}), new(donoraccess.StepRequired))
	atHome := 0
	for range 6 {
		if d.askWorking(ana, home) == nil {
			atHome++
		}
	}
	require.Equal(t, 4, atHome)
	require.ErrorIs(t, d.askWorking("bea@example.org", home), nil, "another mailbox has limits of its own")
	require.Equal(t, 36, d.count(`SELECT count(*) FROM sign_in`))
	for i := range 5 { // other networks in which the mailbox was proved
		from := netip.AddrFrom4([4]byte{10, 2, byte(i), 1})
		proof := d.issueOf(ana, from)
		_, _, err := d.SignInByLink(ctx, donoraccess.LinkAttempt{Token: proof.Token, From: from, Browsers: []string{"known"}})
		require.NoError(t, err)
		for range 6 {
			if d.askWorking(ana, from) == nil {
				atHome++
			}
		}
	}
	require.Equal(t, 10, atHome, "a mailbox has a limit over all its networks")

	// An erasure deletes what is stored about the network.
	require.Equal(t, 6, d.count(`SELECT count(*) FROM session_network`))
	d.exec(`DELETE FROM session WHERE email = $1`, ana)
	require.Zero(t, d.count(`SELECT count(*) FROM session_network`))
}

// issueOf returns the credentials of a request that no limit counts.
func (d fixture) issueOf(email string, from netip.Addr) donoraccess.Credentials {
	d.t.Helper()
	unlimited := d.Service
	unlimited.Limits = donoraccess.Limits{}
	require.NoError(d.t, unlimited.RequestChallenge(d.t.Context(), donoraccess.EmailChallenge{Email: email, From: from, Browser: "known", Language: "en"}))
	return d.issueNewest()
}

// TestPeopleBehindOneAddress: thirty people on one Wi-Fi sign in, each to another mailbox. Beyond the limit of the address
// there is the challenge, then a hard one, and nobody is refused.
func TestPeopleBehindOneAddress(t *testing.T) {
	t.Parallel()
	d := newFixture(t)
	d.Limits.SolvedPerAddress.Max = 8
	steps := map[int]int{}
	for i := range 30 {
		c := donoraccess.EmailChallenge{Email: fmt.Sprintf("donor-%d@example.org", i), From: homeIP, Browser: "x", Language: "en"}
		err := d.RequestChallenge(t.Context(), c)
		var step donoraccess.StepRequired
		if !assert.True(t, err == nil || assert.ErrorAs(t, err, &step)) {
			return
		}
		if steps[step.Rounds]++; err == nil {
			continue
		}
		c.Step, c.Proof = step.Token, work(step.Challenge)
		other := c
		other.Email = "another@example.org"
		require.ErrorAs(t, d.RequestChallenge(t.Context(), other), &step, "a challenge is valid for what was typed")
		require.NoError(t, d.RequestChallenge(t.Context(), c))
		require.ErrorAs(t, d.RequestChallenge(t.Context(), c), &step, "and once")
	}
	require.Equal(t, map[int]int{0: 20, 16: 8, 128: 2}, steps)
	require.Equal(t, 30, d.count(`SELECT count(*) FROM sign_in`))
}

// TestEmailAfterAWait: a browser without JavaScript waits instead. So many waits are allowed at a time; then the page says
// how long to wait.
func TestEmailAfterAWait(t *testing.T) {
	t.Parallel()
	d := newFixture(t)
	now := time.Now()
	limits := guard.Limits{NoJSWaits: guard.Limit{Max: 2, Window: 10 * time.Minute}}
	d.Guard = guard.New(d.Server, keyring.New([]byte("canary-secret-of-32-bytes-length")), limits, func() time.Time { return now })
	d.Limits.EmailsPerAddress.Max = 1
	ask := func(i int, step string) (donoraccess.StepRequired, error) {
		c := donoraccess.EmailChallenge{Email: fmt.Sprintf("donor-%d@example.org", i), From: homeIP, Browser: "x", Language: "en", Step: step}
		err := d.RequestChallenge(t.Context(), c)
		var shown donoraccess.StepRequired
		if err != nil {
			require.ErrorAs(t, err, &shown)
		}
		return shown, err
	}
	_, err := ask(0, "")
	require.NoError(t, err)
	passed := 0
	for i := 1; i < 6; i++ {
		shown, err := ask(i, "")
		require.Error(t, err)
		require.Equal(t, 20*time.Second, shown.Wait)
		early, err := ask(i, shown.Token)
		require.Error(t, err)
		require.Equal(t, shown.Token, early.Token, "not yet")
		now = now.Add(20 * time.Second)
		if shown, err = ask(i, shown.Token); err == nil {
			passed++
		} else {
			require.Greater(t, shown.Wait, 4*time.Minute)
		}
	}
	require.Equal(t, 3, passed, "two of all networks, one more of this one")
}
