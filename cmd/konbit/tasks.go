package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"konbit/internal/books/org"
	"konbit/internal/books/task"
	"konbit/internal/office/worklist"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/templates"
)

func tasksCommand() *cobra.Command {
	return group("tasks", "Tasks for finance and for the people who run the program", tasksListCommand(), tasksCloseCommand())
}

// officeWords loads the words of the office, which are in English and Spanish.
func officeWords() (*phrase.Catalogue, error) { return phrase.Load(templates.FS, "office") }

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
			lines := worklist.Lines(words, lang, org.Slugs(entities), tasks)
			if *asJSON {
				return printJSON(c, lines)
			}
			worklist.Print(c.OutOrStdout(), words, lang, lines)
			return nil
		})
	}
	return c
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
			having = append(having, org.Slugs(entities)[t.EntityID])
		}
		slices.Sort(having)
		return fmt.Errorf("%w: %s have that task: choose one with --entity", errUse, strings.Join(having, " and "))
	})
}
