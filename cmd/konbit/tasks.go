package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"konbit/internal/books/org"
	"konbit/internal/books/task"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/templates"
)

func tasksCommand() *cobra.Command {
	return group("tasks", "Tasks for finance and for the people who run the program", tasksListCommand(), tasksCloseCommand())
}

// officeWords loads the words of the office, which are in English and Spanish.
func officeWords() (*phrase.Catalogue, error) { return phrase.Load(templates.FS, "office") }

// taskLine is a task as `konbit tasks list --json` shows it.
type taskLine struct {
	Entity   string            `json:"entity"`
	Kind     string            `json:"kind"`
	Title    string            `json:"title"`
	Severity task.Severity     `json:"severity"`
	For      task.Audience     `json:"for"`
	Closes   task.Closing      `json:"closes"`
	Link     *taskLink         `json:"link"` // null if the task names no object
	Subject  string            `json:"subject"`
	Detail   map[string]string `json:"detail"`
	Times    int               `json:"times"` // how often it was opened
	OpenedAt time.Time         `json:"opened_at"`
	ClosedAt *time.Time        `json:"closed_at"`
	Next     string            `json:"next"`
}

// taskLink is the object that a task leads to.
type taskLink struct {
	Object task.Object `json:"object"`
	ID     string      `json:"id"`
}

func tasksListCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "Open tasks, the oldest first, and what to do about each", Args: cobra.NoArgs}
	all := c.Flags().Bool("all", false, "closed tasks too")
	entity := c.Flags().String("entity", "", "only those of this legal entity (its slug)")
	language := c.Flags().String("language", string(phrase.English), "language of the words: en or es")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		words, err := officeWords()
		if err != nil {
			return err
		}
		lang := phrase.Language(*language)
		if !slices.Contains(words.Languages(), lang) {
			return fmt.Errorf("%w: --language %s: tasks have words in %v", errUse, lang, words.Languages())
		}
		return withDatabase(c.Context(), func(db *sqlx.DB) error {
			entities, err := org.Entities(c.Context(), db)
			if err != nil {
				return err
			}
			filter := task.Filter{Closed: *all}
			if filter.EntityID, err = entityID(entities, *entity); err != nil {
				return err
			}
			tasks, err := task.List(c.Context(), db, filter)
			if err != nil {
				return err
			}
			lines := taskLines(words, lang, entities, tasks)
			if *asJSON {
				return printJSON(c, lines)
			}
			printTasks(c.OutOrStdout(), words, lang, lines)
			return nil
		})
	}
	return c
}

func taskLines(words *phrase.Catalogue, lang phrase.Language, entities []org.LegalEntity, tasks []task.Stored) []taskLine {
	slugs := entitySlugs(entities)
	lines := make([]taskLine, len(tasks))
	for i, t := range tasks {
		line := taskLine{
			Entity: slugs[t.EntityID], Kind: t.Code, Title: t.Code, Subject: t.Subject, Detail: t.Detail, Times: t.Times,
			OpenedAt: t.OpenedAt.UTC(), ClosedAt: t.ClosedAt, Next: words.T(lang, "task.unknown_kind"),
		}
		if k := t.Kind(); k != nil {
			line.Title, line.Severity, line.For, line.Closes = words.T(lang, k.TitleKey()), k.Severity, k.For, k.Closes
			line.Next = words.T(lang, k.NextKey())
		}
		if object, id := t.Target(); id != "" {
			line.Link = &taskLink{object, id}
		}
		lines[i] = line
	}
	return lines
}

func entitySlugs(entities []org.LegalEntity) map[uuid.UUID]string {
	slugs := map[uuid.UUID]string{}
	for _, e := range entities {
		slugs[e.ID] = e.Slug
	}
	return slugs
}

func printTasks(to io.Writer, words *phrase.Catalogue, lang phrase.Language, lines []taskLine) {
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

func tasksCloseCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "close KIND SUBJECT [--entity SLUG]", Short: "Close a task that is done; it opens again if the same happens again", Args: cobra.ExactArgs(2),
	}
	entity := c.Flags().String("entity", "", "the legal entity (its slug); needed where several have that task")
	c.RunE = func(c *cobra.Command, args []string) error {
		return withOffice(c.Context(), needDatabase, nil, func(o office) error {
			entities, err := org.Entities(c.Context(), o.db)
			if err != nil {
				return err
			}
			filter := task.Filter{Code: args[0], Subject: args[1]}
			if filter.EntityID, err = entityID(entities, *entity); err != nil {
				return err
			}
			if err := closeTask(c.Context(), o.db, entities, filter, o.clocks.Business()); err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), "Closed.")
			return nil
		})
	}
	return c
}

// closeTask closes the open task of a kind and subject. It reports an error if none is open, or if several entities
// have one; the error names them.
func closeTask(ctx context.Context, db *sqlx.DB, entities []org.LegalEntity, filter task.Filter, now time.Time) error {
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		open, err := task.List(ctx, tx, filter)
		if err != nil {
			return err
		}
		switch len(open) {
		case 0:
			return fmt.Errorf("no task %s %q is open: konbit tasks list --all", filter.Code, filter.Subject)
		case 1:
			return task.CloseStoredTx(ctx, tx, open[0], now)
		}
		var having []string
		for _, t := range open {
			having = append(having, entitySlugs(entities)[t.EntityID])
		}
		slices.Sort(having)
		return fmt.Errorf("%w: %s have that task: choose one with --entity", errUse, strings.Join(having, " and "))
	})
}
