package office_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/people/staff"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestStaffOfOneProjectAreLedToIt: an address of the entity leads who works for only one of its projects to the same page of
// it. Everybody else gets 404, as for an entity that does not exist.
func TestStaffOfOneProjectAreLedToIt(t *testing.T) {
	t.Parallel()
	h := newWorld(t).Program
	pia := visitor.NewMember(t, h, "pia@example.org", staff.Finance, visitor.ScopeOf(t, h, "tsne", "csio"))
	got := pia.Ask("GET", "/office/tsne/gifts?state=settled&q=a%26b", nil)
	require.Equal(t, 303, got.StatusCode)
	require.Equal(t, "/office/tsne/gifts?org=csio&q=a%26b&state=settled", got.Header.Get("Location"))
	require.Equal(t, 200, pia.Ask("GET", got.Header.Get("Location"), nil).StatusCode)
	require.Equal(t, 404, pia.PostOffice("/office/tsne/notes", url.Values{"text": {"x"}}).StatusCode, "a form is sent where it belongs")
	require.Equal(t, 404, pia.Ask("GET", "/office/tsne/people", nil).StatusCode, "she has no such role in the project")
	require.Equal(t, 404, pia.Ask("GET", "/office/aina/gifts", nil).StatusCode, "she has no scope there")
	require.Equal(t, 404, pia.Ask("GET", "/office/tsne/gifts?org=selva", nil).StatusCode)

	visitor.Invited(t, h, pia.Email, staff.Auditor, visitor.ScopeOf(t, h, "tsne", "selva"))
	pia.SignIn()
	require.Equal(t, 404, pia.Ask("GET", "/office/tsne/gifts", nil).StatusCode, "two projects: which of them is not known")
	ada := visitor.NewMember(t, h, "ada@example.org", staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	visitor.Invited(t, h, ada.Email, staff.Finance, visitor.ScopeOf(t, h, "tsne", "csio"))
	ada.SignIn()
	require.Equal(t, 404, ada.Ask("GET", "/office/tsne/gifts", nil).StatusCode, "the entity is a scope too")
}

// TestEveryPageHasANavigation: pages of no scope have the navigation of the only scope, or the first pages of all.
func TestEveryPageHasANavigation(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	pia := visitor.NewMember(t, h, "pia@example.org", staff.Finance, visitor.ScopeOf(t, h, "tsne", "csio"))
	for _, path := range []string{"/office/account", "/office/setup", "/office/setup?do=codes"} {
		page := pia.Ask("GET", path, nil)
		require.Equal(t, 200, page.StatusCode)
		require.Contains(t, page.Page, `href="/office/tsne/gifts?org=csio"`, path)
		require.Contains(t, page.Page, `href="#content"`)
		require.Contains(t, page.Page, `id="content"`)
	}
	require.NotContains(t, pia.Ask("GET", "/office/setup?do=codes", nil).Page, `id="codes"`, "it only asks")
	visitor.Invited(t, h, pia.Email, staff.Auditor, visitor.ScopeOf(t, h, "aina", ""))
	pia.SignIn()
	page := pia.Ask("GET", "/office/account", nil).Page
	require.Contains(t, page, `<a href="/office/tsne?org=csio">`)
	require.Contains(t, page, `<a href="/office/aina">`)
}
