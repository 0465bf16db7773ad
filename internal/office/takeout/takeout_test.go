package takeout_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/takeout"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

func entityOf(h *program.Program, slug string) uuid.UUID {
	return uuid.MustParse(h.Lines(`SELECT id::text FROM legal_entity WHERE slug = $1`, slug)[0])
}

// read returns the rows of a file of a directory by column, without heading and end. The end must have their number.
func read(t *testing.T, file []byte) (rows []map[string]string) {
	t.Helper()
	text, found := strings.CutPrefix(string(file), "\ufeff")
	require.True(t, found)
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err)
	end := all[len(all)-1]
	require.Equal(t, []string{takeout.End, fmt.Sprint(len(all) - 2)}, end[:2])
	for _, record := range all[1 : len(all)-1] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = record[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// TestTakeoutHasEverything: donors, gifts with designations and receipts, and plans of one entity and no other, as one archive and
// as a directory; text cannot be a formula; an erased donor has no name.
func TestTakeoutHasEverything(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	split := visitor.FormOf("ana@example.org", "=1+1")
	split.Fund, split.Split = "", map[string]string{"general": "12", "network": "8"}
	gift := h.SettledGift(split)
	plan := visitor.FormOf("ben@example.org", "Ben")
	plan.Frequency = "monthly"
	begun := visitor.StartPlan(t, h, plan)
	_, err := h.Fake.Refund(h.IntentOf(gift), 500)
	require.NoError(t, err)
	h.DeliverNew()
	h.DrainAll()
	_, err = h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	h.RetryParked()

	dir := filepath.Join(t.TempDir(), "all")
	sink, err := takeout.Directory(dir)
	require.NoError(t, err)
	var told []takeout.Written
	written, err := takeout.Write(t.Context(), h.DB.Server, entityOf(h, "tsne"), sink, func(w takeout.Written) { told = append(told, w) })
	require.NoError(t, err)
	require.Equal(t, written, told)
	files := map[string][]map[string]string{}
	for _, w := range written {
		content, err := os.ReadFile(filepath.Join(dir, w.Name))
		require.NoError(t, err)
		files[w.Name] = read(t, content)
		require.Len(t, files[w.Name], w.Rows)
		info, err := os.Stat(filepath.Join(dir, w.Name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	require.Len(t, files["donors.csv"], 2)
	names := map[string]string{}
	for _, d := range files["donors.csv"] {
		names[d["donor"]] = d["first_name"]
	}
	require.Equal(t, "'=1+1", names[gift.DonorID.String()])
	require.Equal(t, "Ben", names[begun.DonorID.String()])

	require.Len(t, files["gifts.csv"], h.Count(`SELECT count(*) FROM donation WHERE charged_at IS NOT NULL`))
	first := files["gifts.csv"][0]
	require.Equal(t, gift.PublicRef, first["gift"])
	valid := h.Lines(`SELECT receipt_reference(facts, year, number) FROM receipt r WHERE donation_id = $1 AND NOT EXISTS (SELECT FROM receipt_void v WHERE v.receipt_id = r.id)`, gift.ID)
	require.Equal(t, []string{"20.00", "5.00", "USD", "settled", "card", valid[0]},
		[]string{first["amount"], first["returned"], first["currency"], first["status"], first["method"], first["receipt"]})
	var parts []string
	for _, d := range files["designations.csv"] {
		if d["gift"] == gift.PublicRef {
			parts = append(parts, d["fund"]+" "+d["amount"])
		}
	}
	require.Len(t, parts, 2)
	require.Contains(t, strings.Join(parts, ", "), " 12.00")
	require.Len(t, files["receipts.csv"], h.Count(`SELECT count(*) FROM receipt`))
	require.NotEmpty(t, files["receipts.csv"][0]["voided_at"], "the first receipt was replaced")
	require.Len(t, files["plans.csv"], 1)
	require.Equal(t, []string{begun.DonorID.String(), "active", "monthly"}, []string{files["plans.csv"][0]["donor"], files["plans.csv"][0]["status"], files["plans.csv"][0]["frequency"]})
	require.True(t, strings.HasPrefix(files["plans.csv"][0]["customer"], "cus_"))
	require.Equal(t, files["plans.csv"][0]["plan"], files["gifts.csv"][1]["plan"])
	require.Len(t, files["plan_designations.csv"], 1)
	_, err = takeout.Write(t.Context(), h.DB.Server, entityOf(h, "tsne"), sink, nil)
	require.ErrorIs(t, err, os.ErrExist, "nothing is written over")

	readme, err := os.ReadFile(filepath.Join(dir, "README.txt"))
	require.NoError(t, err)
	for name, rows := range files {
		require.Contains(t, string(readme), "\n"+name+": ")
		for column := range rows[0] {
			require.Contains(t, string(readme), "\n  "+column+" ", name)
		}
	}

	var archive bytes.Buffer
	to, end := takeout.Zip(&archive, time.Now())
	_, err = takeout.Write(t.Context(), h.DB.Server, entityOf(h, "aina"), to, nil)
	require.NoError(t, err)
	_, err = zip.NewReader(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	require.Error(t, err, "an archive without its end")
	require.NoError(t, end())
	whole, err := zip.NewReader(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	require.NoError(t, err)
	require.Len(t, whole.File, len(written)+1)
	for _, f := range whole.File[1:] {
		in, err := f.Open()
		require.NoError(t, err)
		content, err := io.ReadAll(in)
		require.NoError(t, err)
		require.Empty(t, read(t, content), "%s of an entity without gifts", f.Name)
	}
}

// TestACutFileShows: after an error the file has no last row.
func TestACutFileShows(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	ctx, cancel := context.WithCancel(t.Context())
	var donors bytes.Buffer
	_, err := takeout.Write(ctx, h.DB.Server, entityOf(h, "tsne"), func(name string) (io.WriteCloser, error) {
		if name == "donors.csv" {
			return cut{&donors, cancel}, nil
		}
		return cut{io.Discard, func() {}}, nil
	}, nil)
	require.Error(t, err)
	require.NotContains(t, donors.String(), takeout.End)
}

// cut is a file on a full disk.
type cut struct {
	io.Writer
	full func()
}

func (c cut) Write(p []byte) (int, error) {
	if c.Writer != io.Discard {
		c.full()
		n, _ := c.Writer.Write(p[:len(p)/2])
		return n, errors.New("no space left on device")
	}
	return len(p), nil
}

func (c cut) Close() error { return nil }
