package securitylog

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEntries(t *testing.T) {
	var out bytes.Buffer
	var counted []Event
	l := &Log{Log: slog.New(slog.NewTextHandler(&out, nil)), Count: func(e Event) { counted = append(counted, e) }}
	entries := func() string {
		defer out.Reset()
		_, text, _ := strings.Cut(out.String(), " ") // without the time
		return text
	}
	Record(t.Context(), SignedIn)
	require.Empty(t, entries(), "outside a request")

	ctx, cancel := context.WithCancel(l.With(t.Context(), "ref", "203.0.113.0/24"))
	defer cancel()
	Record(ctx, SignedIn)
	require.Equal(t, "level=INFO msg=security event=signed_in network=203.0.113.0/24 reference=ref\n", entries())
	RecordRefusal(ctx, FormInvalid)
	require.Empty(t, entries(), "something more precise was recorded")
	Limit(ctx, "sign-in emails")
	require.Equal(t, "level=WARN msg=security event=limit_reached network=203.0.113.0/24 reference=ref limit=\"sign-in emails\"\n", entries())

	other := l.With(t.Context(), "other", "unknown")
	RecordRefusal(other, OfStatus(413))
	require.Equal(t, "level=WARN msg=security event=form_too_large network=unknown reference=other\n", entries())
	require.Equal(t, []Event{SignedIn, LimitReached, FormTooLarge}, counted)
	l.Act(t.Context(), "receipt correct", "bea", nil)
	require.Equal(t, "level=INFO msg=security event=command_done command=\"receipt correct\" operator=bea\n", entries())
	l.Act(t.Context(), "erasures add", "bea", errors.New("ana@example.org has an active plan"))
	require.Equal(t, "level=WARN msg=security event=command_failed command=\"erasures add\" operator=bea\n", entries(), "without the error's text")
	Record((&Log{}).With(t.Context(), "", ""), SignedIn)
	require.Empty(t, entries())
}

// TestTable: each event is described once, and each status means an event of the table.
func TestTable(t *testing.T) {
	described := map[Event]bool{}
	for _, d := range Events() {
		require.Regexp(t, `^[a-z]+(_[a-z]+)*$`, string(d.Event))
		require.NotEmpty(t, d.What)
		require.False(t, described[d.Event], d.Event)
		described[d.Event] = true
	}
	for status, e := range statuses {
		require.True(t, described[e], status)
	}
	require.Equal(t, slog.LevelError, levelOf("another"))
	require.Empty(t, OfStatus(200))
	source, err := os.ReadFile("event.go")
	require.NoError(t, err)
	constants := regexp.MustCompile(`Event = "([a-z_]+)"`).FindAllStringSubmatch(string(source), -1)
	require.Len(t, constants, len(described))
	for _, c := range constants {
		require.True(t, described[Event(c[1])], c[1])
	}
}

// TestTheTableIsDocumented: the page for operators has each event with the same words.
func TestTheTableIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../cmd/konbit/running/security-log.md")
	require.NoError(t, err)
	rows := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (.+) \\|$").FindAllStringSubmatch(string(page), -1)
	var documented []string
	for _, row := range rows {
		documented = append(documented, row[1]+": "+row[2])
	}
	for _, d := range Events() {
		require.Contains(t, documented, string(d.Event)+": "+d.What)
	}
	require.Len(t, documented, len(Events())+6, "six rows are fields")
}
