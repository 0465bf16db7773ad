// Package internal_test holds the floor plan of the house: which room may know which.
package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// floors lists the rooms by floor. Imports go down.
var floors = [][]string{
	0: {"money", "fault", "pg", "jobs", "phrase", "metrics"},
	1: {"org", "fund", "donor", "guard", "access", "ledger"},
	2: {"donation", "recurring", "receipt", "payout", "statement", "privacy", "setup", "check"}, // check reads views that look across rooms, and opens tasks
	3: {"stripepay", "mail", "view", "interchange"},
	4: {"web"},
}

// sideways lists the arrows within a floor.
var sideways = []string{
	"jobs → pg",            // the queue's own upkeep runs in a transaction
	"fund → org",           // a fund belongs to an organisation; the directory holds both
	"access → guard",       // its counters bound letters and guesses
	"donation → receipt",   // settling issues the receipt in the same transaction
	"payout → donation",    // a fee is split like its gift
	"payout → receipt",     // a refund or a lost dispute changes the receipt in the same transaction
	"recurring → donation", // each payment of a plan is a gift
	"recurring → receipt",  // whose receipt says which one it is
	"statement → donation", // it tells of every gift
	"statement → receipt",  // by the number of its receipt
	"statement → payout",   // and what went back of it
	"statement → donation", // it tells of every gift
	"statement → receipt",  // by the number of its receipt
	"statement → payout",   // and what went back of it
	"privacy → donation",   // what a person gave, and whether a gift is on its way
	"privacy → receipt",    // whose words are sealed before they go
	"privacy → statement",  // a copy of what was told
	"privacy → recurring",  // a plan that goes on is stopped first
	"setup → donation",     // a fund that has gifts is not dropped
	"mail → view",          // letters are rendered
}

// workshop rooms make tests and the demo possible and never ship.
var workshop = []string{"stripefake", "localpg", "localpg/tether", "mailcatch", "pgproxy", "testkit", "testkit/house", "testkit/many", "e2e", "chaos", "bench"}

// only says which room alone may import a library.
var only = map[string]string{
	"github.com/stripe/stripe-go/":     "stripepay",
	"github.com/wneessen/go-mail":      "mail",
	"github.com/go-chi/chi/":           "web",
	"github.com/riverqueue/river":      "jobs",
	"codeberg.org/go-pdf/fpdf":         "view",
	"github.com/jackc/pgx/v5/":         "pgproxy", // its framing of the protocol; the house speaks through lib/pq
	"github.com/goccy/go-yaml":         "phrase setup",
	"github.com/prometheus/":           "metrics", // rooms report through hooks, so that none depends on how it is watched
	"konbit/templates":                 "cmd/konbit",
	"konbit/migrations":                "cmd/konbit",
	"github.com/stripe/stripe-go/v76/": "stripepay",
}

// arrow answers why from may not import to, or "".
func arrow(from, to string) string {
	if room, ok := strings.CutPrefix(to, "konbit/internal/"); ok {
		return arrowToRoom(from, room)
	}
	for library, rooms := range only {
		if strings.HasPrefix(to+"/", library) && !slices.Contains(strings.Fields(rooms), from) && !slices.Contains(workshop, from) && from != "migrations" {
			return "only " + rooms + " may import " + library
		}
	}
	return ""
}

func arrowToRoom(from, to string) string {
	if slices.Contains(workshop, to) {
		if slices.Contains(workshop, from) || from == "cmd/demo" || from == "cmd/bench" || from == "cmd/chaos" {
			return ""
		}
		return "the workshop never ships"
	}
	below, here := floorOf(to), floorOf(from)
	switch {
	case below < 0:
		return to + " is on no floor: draw it in floors_test.go"
	case strings.HasPrefix(from, "cmd/") || slices.Contains(workshop, from):
		return ""
	case here < 0:
		return from + " is on no floor: draw it in floors_test.go"
	case below < here || slices.Contains(sideways, from+" → "+to):
		return ""
	default:
		return "imports go down, or sideways where it is listed"
	}
}

func floorOf(room string) int {
	return slices.IndexFunc(floors, func(rooms []string) bool { return slices.Contains(rooms, room) })
}

func TestImportsKeepToTheFloorPlan(t *testing.T) {
	drawn := map[string]bool{}
	each(t, func(room, path string, file *ast.File) {
		for _, spec := range file.Imports {
			to, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			if why := arrow(room, to); why != "" {
				t.Errorf("%s imports %s: %s", path, to, why)
			}
			drawn[room+" → "+strings.TrimPrefix(to, "konbit/internal/")] = true
		}
	})
	for _, listed := range sideways {
		require.True(t, drawn[listed], "nobody walks %q any more: take it off the plan", listed)
	}
	for _, rooms := range floors {
		for _, room := range rooms {
			require.FileExists(t, filepath.Join(room, docOf(room)), "a room says what it owns")
		}
	}
}

func docOf(room string) string {
	if _, err := os.Stat(filepath.Join(room, "doc.go")); err == nil {
		return "doc.go"
	}
	return filepath.Base(room) + ".go"
}

func TestFloorPlanRefusesWrongArrows(t *testing.T) {
	for _, wrong := range [][2]string{
		{"ledger", "konbit/internal/donation"}, {"money", "konbit/internal/pg"}, {"donation", "konbit/internal/stripepay"},
		{"receipt", "konbit/internal/donation"}, {"web", "konbit/internal/stripefake"}, {"cmd/konbit", "konbit/internal/testkit"},
		{"donation", "github.com/stripe/stripe-go/v76"}, {"cmd/konbit", "github.com/stripe/stripe-go/v76/webhook"},
		{"web", "github.com/wneessen/go-mail"}, {"view", "github.com/go-chi/chi/v5"}, {"attic", "konbit/internal/money"},
		{"web", "konbit/internal/attic"}, {"view", "konbit/templates"},
	} {
		require.NotEmpty(t, arrow(wrong[0], wrong[1]), "%s → %s must be refused", wrong[0], wrong[1])
	}
	for _, right := range [][2]string{
		{"web", "konbit/internal/donation"}, {"payout", "konbit/internal/donation"}, {"stripepay", "github.com/stripe/stripe-go/v76"},
		{"cmd/demo", "konbit/internal/stripefake"}, {"money", "errors"},
	} {
		require.Empty(t, arrow(right[0], right[1]), "%s → %s", right[0], right[1])
	}
}

// TestOnlyCmdReadsTheEnvironment keeps settings in one place.
func TestOnlyCmdReadsTheEnvironment(t *testing.T) {
	each(t, func(room, path string, file *ast.File) {
		if strings.HasPrefix(room, "cmd/") || slices.Contains(workshop, room) {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if name := selector(n); slices.Contains([]string{"os.Getenv", "os.LookupEnv", "os.Environ"}, name) {
				t.Errorf("%s: %s: only cmd reads the environment", path, name)
			}
			return true
		})
	})
}

func selector(n ast.Node) string {
	if s, ok := n.(*ast.SelectorExpr); ok {
		if x, ok := s.X.(*ast.Ident); ok {
			return x.Name + "." + s.Sel.Name
		}
	}
	return ""
}

// each visits every Go file of the house that is not a test.
func each(t *testing.T, visit func(room, path string, file *ast.File)) {
	t.Helper()
	seen := 0
	for _, root := range []string{".", "../cmd", "../migrations", "../templates"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			seen++
			visit(filepath.ToSlash(strings.TrimPrefix(filepath.Dir(path), "../")), path, file)
			return nil
		})
		require.NoError(t, err)
	}
	require.Greater(t, seen, 60, "the walk missed most of the house")
}
