package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"konbit/internal/books/org"
	"konbit/internal/books/task"
	"konbit/internal/office/worklist"
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
			if err := worklist.Close(c.Context(), o.db, org.Slugs(entities), filter, o.clocks.Business()); errors.Is(err, worklist.ErrSeveral) {
				return fmt.Errorf("%w: %w", errUse, err)
			} else if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), "Closed.")
			return nil
		})
	}
	return c
}
