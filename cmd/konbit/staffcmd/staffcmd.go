// Package staffcmd has the commands of konbit staff. They run as the owner of the tables: the server's role adds nobody.
package staffcmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"konbit/internal/app"
	"konbit/internal/app/acts"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
	"konbit/internal/web/office"
)

// Office is what the commands work with.
type Office struct {
	app.Office
	DB       *sqlx.DB
	Clocks   app.Clocks
	Settings app.Settings
}

// Program is what the commands need of the program.
type Program struct {
	// Open reads the settings and runs fn. asOwner: as the owner of the tables; withSite: BASE_URL is required.
	Open      func(ctx context.Context, asOwner, withSite bool, fn func(o Office) error) error
	ErrUse    error // marks wrong use
	Words     func() (*phrase.Catalogue, error)
	PrintJSON func(c *cobra.Command, v any) error
}

// Commands returns the commands below konbit staff.
func (p Program) Commands() []*cobra.Command {
	return []*cobra.Command{p.add(), p.list(), p.end(), p.reset(), p.split(), p.breakGlass(), p.approve(), p.verify()}
}

// withStaff runs fn with the service of staff as the owner of the tables.
func (p Program) withStaff(c *cobra.Command, withSite bool, fn func(o Office, s staff.Service) error) error {
	return p.Open(c.Context(), true, withSite, func(o Office) error {
		return fn(o, app.NewStaff(o.Settings, o.Office, o.DB))
	})
}

// reasonFlag adds the flag by which the operator says why.
func reasonFlag(c *cobra.Command) *string {
	return c.Flags().String("reason", "", "why; it is kept in the audit log with your name")
}

// reasonOf returns a reason with the operator's name.
func reasonOf(reason string) string {
	return strings.TrimSpace(acts.Operator() + ": " + reason)
}

func (p Program) add() *cobra.Command {
	c := &cobra.Command{
		Use:   "add EMAIL --role ROLE (--entity SLUG | --org SLUG)",
		Short: "Add a person with a role, and print the link with which they set up how they sign in",
		Long: "The link works once, for 24 hours, and opens nothing but the page where the person sets up a passkey, or a password and an app.\n" +
			"A person who can sign in already gets the role and no link. Needs DATABASE_OWNER_URL.",
		Args: cobra.ExactArgs(1),
	}
	role := c.Flags().String("role", "", "entry, finance, admin or auditor")
	entity := c.Flags().String("entity", "", "the legal entity (its slug), with all its organisations")
	organisation := c.Flags().String("org", "", "one organisation (its slug)")
	name := c.Flags().String("name", "", "what the person is called; standard: the address up to the @")
	language := c.Flags().String("language", "en", "en or es")
	reason := reasonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		i := staff.Invitation{Email: args[0], Name: *name, Language: *language, Role: staff.RoleName(*role)}
		if i.Name == "" {
			i.Name, _, _ = strings.Cut(i.Email, "@")
		}
		switch {
		case !slices.Contains(staff.RoleNames, i.Role):
			return fmt.Errorf("%w: --role is one of %v", p.ErrUse, staff.RoleNames)
		case (*entity == "") == (*organisation == ""):
			return fmt.Errorf("%w: say --entity or --org", p.ErrUse)
		case *language != "en" && *language != "es":
			return fmt.Errorf("%w: --language is en or es", p.ErrUse)
		case len(i.Check()) > 0:
			return fmt.Errorf("%w: %s is no email address", p.ErrUse, i.Email)
		}
		return p.withStaff(c, true, func(o Office, s staff.Service) (err error) {
			if i.Scope, err = scopeOf(c, o, *entity, *organisation); err != nil {
				return err
			}
			token, err := s.Add(c.Context(), i, reasonOf(*reason))
			if err == nil {
				printLink(c, o, token, *language, "24 hours")
			}
			return p.explain(err)
		})
	}
	return c
}

// printLink prints the link of an invitation.
func printLink(c *cobra.Command, o Office, token, language, lasts string) {
	if token == "" {
		fmt.Fprintln(c.OutOrStdout(), "this person can sign in already, and has the role now")
		return
	}
	link := office.InvitationLink(o.Settings.OfficeSite())(token, phrase.Language(language))
	fmt.Fprintf(c.OutOrStdout(), "give this link to the person alone; it works once, for %s:\n%s\n", lasts, link)
}

// scopeOf returns the scope of an entity's or an organisation's slug.
func scopeOf(c *cobra.Command, o Office, entity, organisation string) (scope staff.Scope, err error) {
	catalog, err := o.Catalog.Current(c.Context())
	if err != nil {
		return scope, err
	}
	if organisation == "" {
		e, err := catalog.Entity(entity)
		if err != nil {
			return scope, fmt.Errorf("there is no legal entity %s", entity)
		}
		return staff.Scope{EntityID: e.ID}, nil
	}
	found, err := catalog.Organisation(organisation)
	if err != nil {
		return scope, fmt.Errorf("there is no organisation %s", organisation)
	}
	return staff.Scope{EntityID: found.EntityID, OrganisationID: uuid.NullUUID{UUID: found.ID, Valid: true}}, nil
}

// explain returns a refusal of the database in the office's words.
func (p Program) explain(err error) error {
	var refused *fault.Error
	if !errors.As(err, &refused) {
		return err
	}
	words, loading := p.Words()
	if loading != nil || !words.Has(refused.Phrase) {
		return err
	}
	return errors.New(words.T(phrase.English, refused.Phrase))
}

// Line is a line of konbit staff list.
type Line struct {
	Email    string   `json:"email"`
	Name     string   `json:"name"`
	Roles    []string `json:"roles"`
	Enrolled bool     `json:"enrolled"`
	Disabled bool     `json:"disabled"`
	Since    string   `json:"since"`
}

func (p Program) list() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "Who works in the office, in which roles", Args: cobra.NoArgs}
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return p.Open(c.Context(), false, false, func(o Office) error {
			lines, err := linesOf(c, o)
			if err != nil {
				return err
			}
			if *asJSON {
				return p.PrintJSON(c, lines)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, l := range lines {
				state := map[bool]string{true: "", false: "not set up"}[l.Enrolled]
				if l.Disabled {
					state = "disabled"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", l.Email, l.Name, strings.Join(l.Roles, ", "), l.Since, state)
			}
			return w.Flush()
		})
	}
	return c
}

func linesOf(c *cobra.Command, o Office) (lines []Line, err error) {
	catalog, err := o.Catalog.Current(c.Context())
	if err != nil {
		return nil, err
	}
	members, err := staff.All(c.Context(), o.DB)
	if err != nil {
		return nil, err
	}
	lines = []Line{}
	for _, m := range members {
		line := Line{
			Email: m.Email, Name: m.Name, Roles: []string{}, Enrolled: m.CanSignIn, Disabled: m.DisabledAt != nil,
			Since: o.Clocks.Shown(m.CreatedAt).UTC().Format(time.DateOnly),
		}
		roles, err := staff.RolesOf(c.Context(), o.DB, m.ID)
		if err != nil {
			return nil, err
		}
		for _, r := range roles {
			where := ""
			if e, err := catalog.EntityByID(r.EntityID); err == nil {
				where = e.Slug
			}
			if found, err := catalog.OrganisationByID(r.OrganisationID.UUID); err == nil && r.OrganisationID.Valid {
				where += "/" + found.Slug
			}
			line.Roles = append(line.Roles, string(r.Name)+" at "+where)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func (p Program) end() *cobra.Command {
	c := &cobra.Command{
		Use: "end EMAIL --reason TEXT", Short: "End all roles, sessions and ways to sign in of a person who has left", Args: cobra.ExactArgs(1),
		Long: "The account stays in the books of who did what, and konbit staff add opens it again. The last admin of a scope cannot be ended:\n" +
			"add another one first. Needs DATABASE_OWNER_URL.",
	}
	reason := reasonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		return p.ofMember(c, args[0], *reason, false, func(_ Office, s staff.Service, m staff.Member) error {
			if err := s.Disable(c.Context(), m.ID, reasonOf(*reason)); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s cannot sign in any more\n", m.Email)
			return nil
		})
	}
	return c
}

func (p Program) reset() *cobra.Command {
	c := &cobra.Command{
		Use: "reset EMAIL --reason TEXT", Short: "Print a link by which a person who lost every way to sign in sets up a new one", Args: cobra.ExactArgs(1),
		Long: "Make sure first that it is the person: call a number that you know. The person and the admins are told by email.\n" +
			"What is set up by the link replaces everything of before. Needs DATABASE_OWNER_URL.",
	}
	reason := reasonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		return p.ofMember(c, args[0], *reason, true, func(o Office, s staff.Service, m staff.Member) error {
			token, err := s.AddReset(c.Context(), m.ID, reasonOf(*reason))
			if err == nil {
				printLink(c, o, token, m.Language, "24 hours")
			}
			return err
		})
	}
	return c
}

func (p Program) split() *cobra.Command {
	c := &cobra.Command{
		Use: "split EMAIL --reason TEXT", Short: "Make an account that was joined with another a person of its own again", Args: cobra.ExactArgs(1),
		Long: "Accounts of one person cannot approve what the other requests; after this they can. Make sure first that they are two people.\n" +
			"The auditors read it in their daily email. Needs DATABASE_OWNER_URL.",
	}
	reason := reasonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		return p.ofMember(c, args[0], *reason, false, func(o Office, s staff.Service, m staff.Member) error {
			from, err := s.Split(c.Context(), m.ID, reasonOf(*reason))
			if err != nil {
				return err
			}
			other, err := staff.ByID(c.Context(), o.DB, from)
			if err == nil {
				fmt.Fprintf(c.OutOrStdout(), "%s and %s are two people now\n", m.Email, other.Email)
			}
			return err
		})
	}
	return c
}

// ofMember finds a person by the address, and runs fn if the operator said why.
func (p Program) ofMember(c *cobra.Command, address, reason string, withSite bool, fn func(o Office, s staff.Service, m staff.Member) error) error {
	if strings.TrimSpace(reason) == "" {
		return fmt.Errorf("%w: say why with --reason", p.ErrUse)
	}
	return p.withStaff(c, withSite, func(o Office, s staff.Service) error {
		m, err := staff.ByEmail(c.Context(), o.DB, address)
		if fault.Is(err, fault.NotFound) {
			return fmt.Errorf("nobody of the staff has the address %s", address)
		}
		if err != nil {
			return err
		}
		return p.explain(fn(o, s, m))
	})
}

func (p Program) breakGlass() *cobra.Command {
	c := &cobra.Command{
		Use: "break-glass --why TEXT", Short: "Print a link to an emergency access, if no admin can sign in", Args: cobra.NoArgs,
		Long: "The link works once, for 15 minutes, and opens a session of an hour that reads everything and changes roles; it moves no money.\n" +
			"All admins and AUDIT_MAIL are told at once, and a task stays open. Needs DATABASE_OWNER_URL.",
	}
	why := c.Flags().String("why", "", "why; the admins read it")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if strings.TrimSpace(*why) == "" {
			return fmt.Errorf("%w: say why with --why", p.ErrUse)
		}
		return p.withStaff(c, true, func(o Office, s staff.Service) error {
			token, _, err := s.BreakGlass(c.Context(), reasonOf(*why), o.Clocks.Business())
			if err == nil {
				printLink(c, o, token, string(phrase.English), "15 minutes")
			}
			return p.explain(err)
		})
	}
	return c
}
