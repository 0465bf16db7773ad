package app_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/staff"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestPagesDoNotWaitForBackgroundWork holds every connection of the background work. All pages, the sign-in and what a
// donor does on the own pages go on: they use none of these connections.
func TestPagesDoNotWaitForBackgroundWork(t *testing.T) {
	h := program.New(t, program.Options{SeparatePages: true})
	plan := visitor.StartPlan(t, h, visitor.FormOf("ana@donor.example", "Ana"))
	var ref string
	require.NoError(t, h.DB.Owner.Get(&ref, `SELECT public_ref FROM plan WHERE id = $1`, plan.ID))
	donor := visitor.New(t, h).SignIn("ana@donor.example")
	token := donor.Token()

	h.DB.Server.SetMaxOpenConns(1)
	held, err := h.DB.Server.Conn(t.Context())
	require.NoError(t, err)
	defer func() { _ = held.Close() }()
	for _, path := range []string{
		"/readyz", "/", "/give/csio", "/.well-known/security.txt", "/sign-in/code", "/portal", "/portal/gifts", "/portal/plans",
		"/portal/plans/" + ref, "/portal/details", "/portal/records", "/portal/records/data.json", "/portal/records/data.csv",
	} {
		require.Equal(t, http.StatusOK, donor.Ask("GET", path, nil).StatusCode, path)
	}
	for _, act := range []struct {
		path string
		form url.Values
	}{
		{"/sign-in", url.Values{"email": {"ana@donor.example"}}},
		{"/portal/plans/" + ref, url.Values{"do": {"skip"}, "press": {program.NewID().String()}}},
		{"/portal/records/erasure", url.Values{"do": {"withdraw"}}},
		{"/portal/sessions/end", url.Values{}},
	} {
		act.form.Set("session", token)
		require.Less(t, donor.Ask("POST", act.path, act.form).StatusCode, 500, act.path)
	}
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM sign_in WHERE used_at IS NULL`))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM plan_request WHERE kind = 'skip'`), "it is executed when a worker has a connection")
}

// TestStaffAndDonorsDoNotWaitForEachOther holds every connection of one kind of page. The other kind goes on.
func TestStaffAndDonorsDoNotWaitForEachOther(t *testing.T) {
	h := program.New(t, program.Options{SeparatePages: true})
	m := visitor.NewMember(t, h, "max@example.org", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	donor := visitor.New(t, h)
	hold := func(db *sqlx.DB) (release func() error) {
		db.SetMaxOpenConns(1)
		held, err := db.Conn(t.Context())
		require.NoError(t, err)
		return held.Close
	}
	release := hold(h.PagesDB)
	for _, path := range []string{"/office/tsne", "/office/tsne/gifts", "/office/tsne/donors", "/office/tsne/refunds", "/office/account"} {
		require.Equal(t, http.StatusOK, m.Ask("GET", path, nil).StatusCode, path)
	}
	require.Less(t, m.PostOffice("/office/sign-out", url.Values{}).StatusCode, 400)
	require.NoError(t, release())
	hold(h.StaffDB)
	for _, path := range []string{"/", "/give/csio", "/sign-in"} {
		require.Equal(t, http.StatusOK, donor.Ask("GET", path, nil).StatusCode, path)
	}
}
