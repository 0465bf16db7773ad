package visitor

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/mail"
	"konbit/internal/people/staff"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// FilledForm returns the form of organisation csio as a browser posts it.
func FilledForm() url.Values {
	return url.Values{
		"form": {uuid.NewString()}, "amount": {"20"}, "amount_other": {""}, "frequency": {"once"}, "fund": {"general"},
		"first_name": {"Ana"}, "last_name": {"Pérez"}, "email": {"ana@example.org"}, "note": {"For the garden"},
	}
}

// FormOf returns a valid form of a donor.
func FormOf(email, firstName string) donation.Form {
	f := program.ValidForm()
	f.Contact.Email, f.Contact.FirstName = email, firstName
	return f
}

// StartPlan starts a recurring gift of twelve months and settles its first payment.
func StartPlan(t testing.TB, h *program.Program, f donation.Form) donation.Donation {
	t.Helper()
	f.Frequency, f.Occurrences = "monthly", "12"
	d := h.StartedGift(f)
	h.Pay(d)
	h.DeliverNew()
	testkit.Eventually(t, time.Minute, func() error { // an event may be tried again half a second later
		h.DrainAll()
		if h.Count(`SELECT count(*) FROM plan WHERE id = $1 AND begun_at IS NOT NULL`, d.ID) != 1 {
			return errors.New("the plan has not begun")
		}
		return nil
	})
	return d
}

// TwoDonors is a program with two signed-in donors: Ana has a gift and a recurring gift, Bea has a gift.
type TwoDonors struct {
	*program.Program
	Ana, Bea, Nobody *Visitor          // Nobody is not signed in
	Objects          map[string]string // references to Ana's objects, by the beginning of a route's pattern
	Links            map[string]string // paths of Ana's signed links, by the route's pattern
	Bearer           *Visitor          // opened the link of an email to Ana's recurring gift
	PlanLink         mail.PlanLink     // this link
	Max              func() *Member    // a member of the staff with every role in tsne; added when he is asked for
}

// NewTwoDonors starts the program and makes the donors' gifts.
func NewTwoDonors(t testing.TB) TwoDonors {
	return NewTwoDonorsIn(t, program.New(t, program.Options{UnlimitedSignIn: true}))
}

// NewTwoDonorsIn makes the donors' gifts in a program that does not limit sign-in emails.
func NewTwoDonorsIn(t testing.TB, h *program.Program) TwoDonors {
	e := TwoDonors{Program: h, Nobody: New(t, h), Objects: map[string]string{}}
	d := h.SettledGift(FormOf("ana@example.org", "Ana"))
	h.SettledGift(FormOf("bea@example.net", "Bea"))
	p := StartPlan(t, h, FormOf("ana@example.org", "Ana"))
	require.NoError(t, h.DB.Owner.Get(&p.PublicRef, `SELECT public_ref FROM plan WHERE id = $1`, p.ID))
	e.Objects = map[string]string{
		"/portal/gifts/":      d.PublicRef,
		"/portal/statements/": fmt.Sprintf("%d-%s", time.Now().In(h.Offer("csio").Entity.Location()).Year(), d.DonorID),
		"/portal/plans/":      p.PublicRef,
		"/plans/":             p.PublicRef,
	}
	e.Links = map[string]string{
		"/plans/{ref}/{key}": OldPlanLink(h, p.PublicRef), "/plans/card/{token}": OldCardLink(h, d.DonorID),
		"/letters/{token}": strings.TrimPrefix(h.Receipts.StopURL(d.DonorID, "statements", "en"), h.URL),
	}
	e.PlanLink, e.Bearer = PlanLink(t, h, p.PublicRef), New(t, h)
	e.Bearer.OpenPlan(e.PlanLink)
	e.Ana, e.Bea = New(t, h).SignIn("ana@example.org"), New(t, h).SignIn("bea@example.net")
	e.Max = sync.OnceValue(func() *Member {
		m := NewMember(t, h, "max@example.org", staff.Admin, ScopeOf(t, h, "tsne", ""))
		for _, role := range []staff.RoleName{staff.Entry, staff.Finance, staff.Auditor} {
			Invited(t, h, m.Email, role, ScopeOf(t, h, "tsne", ""))
		}
		return m.SignIn() // the roles ended the session
	})
	return e
}

// PlanLink returns the links of emails to a plan.
func PlanLink(t testing.TB, h *program.Program, ref string) mail.PlanLink {
	t.Helper()
	link, err := h.Receipts.Plans.Of(t.Context(), ref, "en")
	require.NoError(t, err)
	return link
}

// OldPlanLink returns the path of a link to a plan as emails had it before table plan_link.
func OldPlanLink(h *program.Program, ref string) string {
	return "/plans/" + ref + "/" + base64.RawURLEncoding.EncodeToString(oldSignature("manage plan: ", []byte(ref))) + "?lang=en"
}

// OldCardLink returns the path of a link to a new payment method as emails had it before table plan_link. It is a month
// old.
func OldCardLink(h *program.Program, donor uuid.UUID) string {
	signed := binary.BigEndian.AppendUint64(donor[:], uint64(time.Now().Unix()))
	return "/plans/card/" + base64.RawURLEncoding.EncodeToString(append(signed, oldSignature("new card: ", signed)...)) + "?lang=en"
}

func oldSignature(purpose string, signed []byte) []byte {
	mac := hmac.New(sha256.New, []byte(program.Secret))
	mac.Write([]byte(purpose))
	mac.Write(signed)
	return mac.Sum(nil)[:16]
}

// OpenPlan opens the link of an email as its page's script does, and returns the address of the plan's page.
func (v *Visitor) OpenPlan(link mail.PlanLink) (path string) {
	v.t.Helper()
	_, token, _ := strings.Cut(link.ManageURL, "#")
	got := v.Ask("POST", "/plans/open?lang=en", url.Values{"link": {token}})
	require.Equal(v.t, http.StatusSeeOther, got.StatusCode, got.Page)
	return got.Header.Get("Location")
}

// TokenOn returns the token that the forms of a page post back.
func (v *Visitor) TokenOn(path string) string {
	v.t.Helper()
	found := formToken.FindStringSubmatch(v.Ask("GET", path, nil).Page)
	require.NotNil(v.t, found, path)
	return found[1]
}

// OpenedCookie returns the cookie that Ana's opened link left in the Bearer's browser.
func (e TwoDonors) OpenedCookie(t testing.TB) string {
	t.Helper()
	return e.Bearer.Cookies["konbit-plan-"+e.Object(t, "/plans/{ref}")]
}

// Object returns the reference to Ana's object that the path of a route names.
func (e TwoDonors) Object(t testing.TB, pattern string) string {
	t.Helper()
	for begins, ref := range e.Objects {
		if strings.HasPrefix(pattern, begins) {
			return ref
		}
	}
	t.Fatalf("there is no object for %s", pattern)
	return ""
}

// TableHashes returns a hash of the rows of each table, except for tables of counters and leases.
func TableHashes(t testing.TB, h *program.Program) map[string]string {
	t.Helper()
	sums := map[string]string{}
	for _, table := range h.Lines(`SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1`) {
		if !slices.Contains([]string{"guard_count", "river_leader", "river_queue", "river_client"}, table) {
			sums[table] = h.Lines(fmt.Sprintf(`SELECT coalesce(md5(string_agg(x::text, '' ORDER BY x::text)), '') FROM %q x`, table))[0]
		}
	}
	require.Greater(t, len(sums), 20)
	return sums
}
