package note_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/note"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
)

type fixture struct {
	*program.Program
	t             *testing.T
	entity        uuid.UUID
	objects       map[note.Kind]note.Object
	sponsor, csio *office.Person
	organisation  uuid.NullUUID // csio
}

func newFixture(t *testing.T) fixture {
	h := program.New(t, program.Options{})
	d := h.SettledGift(program.ValidForm())
	h.Exec(`INSERT INTO payout (id, entity_id, processor, payout_ref, amount, currency, arrival_on, status, created_at)
		SELECT gen_random_uuid(), $1, 'stripe', 'po_1', 1000, 'USD', current_date, 'paid', now()`, d.EntityID)
	h.Exec(`INSERT INTO finance_task (id, entity_id, kind, subject, opened_at) SELECT gen_random_uuid(), $1, 'x', charge_id, now() FROM donation WHERE id = $2`, d.EntityID, d.ID)
	one := func(query string) uuid.UUID { return uuid.MustParse(h.Lines(query)[0]) }
	return fixture{
		Program: h, t: t, entity: d.EntityID,
		objects: map[note.Kind]note.Object{
			note.Gift: {Kind: note.Gift, ID: d.ID}, note.Donor: {Kind: note.Donor, ID: d.DonorID},
			note.Payout: {Kind: note.Payout, ID: one(`SELECT id::text FROM payout`)}, note.Task: {Kind: note.Task, ID: one(`SELECT id::text FROM finance_task WHERE kind = 'x'`)},
		},
		sponsor: office.Add(t, h.DB.Owner, "sponsor", office.Role{Role: "finance", Entity: "tsne"}),
		csio:    office.Add(t, h.DB.Owner, "csio", office.Role{Role: "finance", Entity: "tsne", Organisation: "csio"}), organisation: uuid.NullUUID{UUID: d.OrganisationID, Valid: true},
	}
}

func (f fixture) add(who *office.Person, n note.New) error {
	f.t.Helper()
	n.EntityID = f.entity
	if n.ID == uuid.Nil {
		n.ID = uuid.New()
	}
	return who.InTx(f.t, f.DB.Server, func(tx *sqlx.Tx) error { return note.AddTx(f.t.Context(), tx, n) })
}

// read returns what the pages show a person.
func (f fixture) read(who *office.Person, kind note.Kind) (texts []string) {
	f.t.Helper()
	require.NoError(f.t, who.InTx(f.t, f.DB.Server, func(tx *sqlx.Tx) error {
		if _, err := tx.Exec(`SET LOCAL ROLE konbit_office`); err != nil {
			return err
		}
		all, err := note.Of(f.t.Context(), tx, f.objects[kind])
		for _, n := range all {
			texts = append(texts, n.Author+": "+n.Text)
			require.WithinDuration(f.t, time.Now(), n.At, time.Hour)
		}
		return err
	}))
	return texts
}

// TestWhoReadsANote: a note is read by the staff of its scope, with its author, and by nobody else.
func TestWhoReadsANote(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for kind, on := range f.objects {
		require.NoError(t, f.add(f.sponsor, note.New{Object: on, Text: " on " + string(kind) + "\n"}))
	}
	for _, kind := range []note.Kind{note.Gift, note.Donor} {
		require.NoError(t, f.add(f.csio, note.New{Object: f.objects[kind], OrganisationID: f.organisation, Text: "of the project"}))
	}
	require.Equal(t, []string{"sponsor: on gift", "csio: of the project"}, f.read(f.sponsor, note.Gift))
	require.Equal(t, []string{"sponsor: on donor", "csio: of the project"}, f.read(f.sponsor, note.Donor))
	require.Equal(t, []string{": on gift", "csio: of the project"}, f.read(f.csio, note.Gift), "the project does not see who works for the sponsor")
	require.Equal(t, []string{"csio: of the project"}, f.read(f.csio, note.Donor))
	require.Equal(t, []string{"sponsor: on payout"}, f.read(f.sponsor, note.Payout))
	require.Equal(t, []string{"sponsor: on task"}, f.read(f.sponsor, note.Task))
	other := office.Add(t, f.DB.Owner, "other", office.Role{Role: "finance", Entity: "aina"})
	admin := office.Add(t, f.DB.Owner, "admin", office.Role{Role: "admin", Entity: "tsne"})
	for kind := range f.objects {
		require.Empty(t, f.read(other, kind), kind)
		require.Empty(t, f.read(admin, kind), kind)
		require.Empty(t, f.read(nil, kind), kind)
	}
	require.Empty(t, f.read(f.csio, note.Payout))
	require.Empty(t, f.read(f.csio, note.Task))
}

// TestPlaceOf finds the objects of the reader's scope only.
func TestPlaceOf(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	sees := func(who *office.Person) (kinds []note.Kind) {
		require.NoError(t, who.InTx(t, f.DB.Server, func(tx *sqlx.Tx) error {
			if _, err := tx.Exec(`SET LOCAL ROLE konbit_office`); err != nil {
				return err
			}
			for _, kind := range note.Kinds {
				p, err := note.PlaceOf(t.Context(), tx, f.objects[kind])
				if fault.Is(err, fault.NotFound) {
					continue
				}
				require.NoError(t, err)
				require.Equal(t, f.entity, p.EntityID)
				require.NotEmpty(t, p.Ref)
				kinds = append(kinds, kind)
			}
			return nil
		}))
		return kinds
	}
	require.Equal(t, note.Kinds, sees(f.sponsor))
	require.Equal(t, []note.Kind{note.Gift, note.Donor}, sees(f.csio))
	require.Empty(t, sees(office.Add(t, f.DB.Owner, "other", office.Role{Role: "finance", Entity: "aina"})))
	require.Empty(t, sees(nil))
}

// TestTheDatabaseDecides: author and time are the database's; only finance of the scope writes; a note is never changed, and
// is committed with its audit entry.
func TestTheDatabaseDecides(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	gift := f.objects[note.Gift]
	auditor := office.Add(t, f.DB.Owner, "auditor", office.Role{Role: "auditor", Entity: "tsne"})
	other := office.Add(t, f.DB.Owner, "other", office.Role{Role: "finance", Entity: "aina"})
	for _, who := range []*office.Person{nil, auditor, other} {
		require.True(t, pg.Violates(f.add(who, note.New{Object: gift, Text: "x"}), "staff_note_person"))
	}
	for _, kind := range []note.Kind{note.Payout, note.Task} {
		require.True(t, pg.Violates(f.add(f.csio, note.New{Object: f.objects[kind], Text: "x"}), "staff_note_person"), "not a project's: %s", kind)
	}
	aina, err := f.CurrentCatalog().Organisation("aina")
	require.NoError(t, err)
	require.True(t, pg.Violates(f.add(f.csio, note.New{Object: f.objects[note.Donor], OrganisationID: uuid.NullUUID{UUID: aina.ID, Valid: true}, Text: "x"}), "staff_note_scope"))
	require.True(t, pg.Violates(f.add(f.sponsor, note.New{Object: gift, Text: " \n"}), "staff_note_has_text"))
	require.True(t, pg.Violates(f.add(f.sponsor, note.New{Object: gift, Text: strings.Repeat("é", 4001)}), "staff_note_text_check"))
	require.Error(t, f.add(f.sponsor, note.New{Object: note.Object{Kind: note.Gift, ID: uuid.New()}, Text: "x"}))

	form := uuid.New()
	require.NoError(t, f.add(f.sponsor, note.New{ID: form, Object: gift, Text: "called"}))
	require.NoError(t, f.add(f.sponsor, note.New{ID: form, Object: gift, Text: "called"}), "the form is sent again")
	require.ErrorIs(t, f.add(f.sponsor, note.New{ID: form, Object: gift, Text: "never called"}), note.ErrOtherForm)
	require.ErrorIs(t, f.add(f.csio, note.New{ID: form, Object: gift, Text: "called"}), note.ErrOtherForm)
	require.Equal(t, []string{"sponsor: called"}, f.read(f.sponsor, note.Gift))
	require.Equal(t, 1, f.Count(`SELECT count(*) FROM audit_entry WHERE act = 'note.added' AND object_id = $1 AND staff_id = $2`, form, f.sponsor.ID))

	insert := `INSERT INTO staff_note (id, entity_id, donation_id, text) VALUES (gen_random_uuid(), '` + f.entity.String() + `', '` + gift.ID.String() + `', 'x')`
	err = f.sponsor.InTx(t, f.DB.Server, func(tx *sqlx.Tx) error { _, err := tx.Exec(insert); return err })
	require.True(t, pg.Violates(err, "requires_audit"), err)
	for _, sql := range []string{`UPDATE staff_note SET text = ''`, `DELETE FROM staff_note`, `INSERT INTO staff_note (author) VALUES (gen_random_uuid())`, `INSERT INTO staff_note (at) VALUES (now())`} {
		_, err := f.DB.Server.Exec(sql)
		require.ErrorContains(t, err, "permission denied", sql)
	}
	_, err = f.DB.Owner.Exec(`UPDATE staff_note SET text = 'other'`)
	require.True(t, pg.Violates(err, "staff_note_keeps"))
	_, err = f.DB.Owner.Exec(`DELETE FROM staff_note`)
	require.Error(t, err)
	f.DB.Server.MustExec(`UPDATE donor SET email = 'forgotten-' || id || '@invalid'`)
	require.Equal(t, []string{"sponsor: called"}, f.read(f.sponsor, note.Gift), "the server marks somebody as erased, and no note goes")
}

// TestCheck: what is wrong with a text is said before it is sent to the database.
func TestCheck(t *testing.T) {
	t.Parallel()
	require.NotEmpty(t, note.Check("\n "))
	require.NotEmpty(t, note.Check(strings.Repeat("é", note.MaxLength+1)))
	require.Empty(t, note.Check(strings.Repeat("é", note.MaxLength)))
}
