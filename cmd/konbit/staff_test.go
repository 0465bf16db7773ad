package main

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/cmd/konbit/staffcmd"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestStaffCommands: the operator adds a person, whose link opens the page of the first factor once, lists, resets and ends
// them, and makes an emergency access.
func TestStaffCommands(t *testing.T) {
	h := program.New(t, program.Options{})
	t.Chdir(t.TempDir())
	t.Setenv("DATABASE_URL", h.DB.ServerURL)
	t.Setenv("DATABASE_OWNER_URL", h.DB.OwnerURL)
	t.Setenv("BASE_URL", h.URL)
	run := func(args ...string) (string, error) {
		var out bytes.Buffer
		root := commands()
		root.SetArgs(append([]string{"staff"}, args...))
		root.SetOut(&out)
		err := root.ExecuteContext(t.Context())
		return out.String(), err
	}
	link := func(out string) string {
		found := regexp.MustCompile(`http\S+/office/invitation\?lang=\w\w#\S+`).FindString(out)
		require.NotEmpty(t, found, out)
		return found
	}
	for _, wrong := range [][]string{
		{"add", "boss@example.org", "--role", "admin"}, {"add", "boss@example.org", "--role", "king", "--entity", "tsne"}, {"add", "boss", "--role", "admin", "--entity", "tsne"},
		{"end", "boss@example.org"}, {"reset", "boss@example.org"}, {"break-glass"},
	} {
		_, err := run(wrong...)
		require.ErrorIs(t, err, errUse, "%v", wrong)
	}
	_, err := run("add", "boss@example.org", "--role", "admin", "--entity", "nothing")
	require.ErrorContains(t, err, "no legal entity")
	out, err := run("add", "Boss@example.org", "--role", "admin", "--entity", "tsne", "--language", "es")
	require.NoError(t, err)
	v := visitor.New(t, h)
	got := v.Ask("POST", "/office/invitation", url.Values{"link": {link(out)}})
	require.Equal(t, "/office/setup", got.Header.Get("Location"))
	out, err = run("add", "ana@example.org", "--role", "finance", "--org", "csio", "--reason", "new in finance")
	require.NoError(t, err)
	link(out)
	out, err = run("list", "--json")
	require.NoError(t, err)
	var lines []staffcmd.Line
	require.NoError(t, json.Unmarshal([]byte(out), &lines))
	require.Len(t, lines, 2)
	require.Equal(t, []string{"finance at tsne/csio"}, lines[0].Roles)
	require.False(t, lines[0].Enrolled)
	out, err = run("list")
	require.NoError(t, err)
	require.Contains(t, out, "not set up")
	out, err = run("reset", "ana@example.org", "--reason", "lost her phone")
	require.NoError(t, err)
	link(out)
	_, err = run("end", "boss@example.org", "--reason", "left")
	require.ErrorContains(t, err, "last admin")
	_, err = run("end", "nobody@example.org", "--reason", "left")
	require.ErrorContains(t, err, "nobody of the staff")
	_, err = run("end", "ana@example.org", "--reason", "left")
	require.NoError(t, err)
	require.Equal(t, 422, visitor.New(t, h).Ask("POST", "/office/invitation", url.Values{"link": {link(out)}}).StatusCode, "the link ended with her account")
	out, err = run("break-glass", "--why", "the admin is ill")
	require.NoError(t, err)
	glass := visitor.New(t, h)
	require.Equal(t, "/office", glass.Ask("POST", "/office/invitation", url.Values{"link": {link(out)}}).Header.Get("Location"))
	page := glass.Ask("GET", "/office/aina/people", nil)
	require.Equal(t, 200, page.StatusCode)
	require.Contains(t, page.Page, "Emergency access")
}
