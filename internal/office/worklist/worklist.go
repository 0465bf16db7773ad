// Package worklist shows the tasks of finance and of the people who run the program, in the words of the office. It owns no
// table: tasks belong to package task.
package worklist

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"konbit/internal/books/task"
	"konbit/internal/platform/phrase"
)

// Line is a task as `konbit tasks list --json` shows it.
type Line struct {
	Entity   string            `json:"entity"`
	Kind     string            `json:"kind"`
	Title    string            `json:"title"`
	Severity task.Severity     `json:"severity"`
	For      task.Audience     `json:"for"`
	Closes   task.Closing      `json:"closes"`
	Link     *Link             `json:"link"` // null if the task names no object
	Subject  string            `json:"subject"`
	Detail   map[string]string `json:"detail"`
	Times    int               `json:"times"` // how often it was opened
	OpenedAt time.Time         `json:"opened_at"`
	ClosedAt *time.Time        `json:"closed_at"`
	Next     string            `json:"next"`
}

// Link is the object that a task leads to.
type Link struct {
	Object task.Object `json:"object"`
	ID     string      `json:"id"`
}

// Lines returns the output about tasks in a language. slugs are those of the entities.
func Lines(words *phrase.Catalogue, lang phrase.Language, slugs map[uuid.UUID]string, tasks []task.Stored) []Line {
	lines := make([]Line, len(tasks))
	for i, t := range tasks {
		line := Line{
			Entity: slugs[t.EntityID], Kind: t.Code, Title: t.Code, Subject: t.Subject, Detail: t.Detail, Times: t.Times,
			OpenedAt: t.OpenedAt.UTC(), ClosedAt: t.ClosedAt, Next: words.T(lang, "task.unknown_kind"),
		}
		if k := t.Kind(); k != nil {
			line.Title, line.Severity, line.For, line.Closes = words.T(lang, k.TitleKey()), k.Severity, k.For, k.Closes
			line.Next = words.T(lang, k.NextKey())
		}
		if object, id := t.Target(); id != "" {
			line.Link = &Link{object, id}
		}
		lines[i] = line
	}
	return lines
}

// Print writes tasks for people.
func Print(to io.Writer, words *phrase.Catalogue, lang phrase.Language, lines []Line) {
	if len(lines) == 0 {
		fmt.Fprintln(to, words.T(lang, "task.none"))
	}
	for _, l := range lines {
		state := ""
		if l.Times > 1 {
			state = fmt.Sprintf(", opened %d times", l.Times)
		}
		if l.ClosedAt != nil {
			state += ", closed " + l.ClosedAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(to, "%s  %s  %s %q%s\n", l.OpenedAt.Format(time.RFC3339), l.Entity, l.Kind, l.Subject, state)
		var detail []string
		for _, name := range slices.Sorted(maps.Keys(l.Detail)) {
			detail = append(detail, name+" "+l.Detail[name])
		}
		if len(detail) > 0 {
			fmt.Fprintf(to, "    %s\n", strings.Join(detail, ", "))
		}
		fmt.Fprintf(to, "    %s. %s\n", l.Title, l.Next)
	}
}
