package bankfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"konbit/internal/office/bankfile/field"
	"konbit/internal/platform/fault"
)

// seed adds the samples of a format.
func seed(f *testing.F, folders ...string) {
	f.Helper()
	for _, folder := range folders {
		paths, err := filepath.Glob("testdata/" + folder + "/*.*")
		if err != nil || len(paths) == 0 {
			f.Fatal(folder, err)
		}
		for _, path := range paths {
			raw, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(raw)
		}
	}
}

// fuzzLimits are small, so that inputs reach them.
var fuzzLimits = Limits{Bytes: 1 << 16, Lines: 40, Field: 400}

// checkRead checks what holds for each input: a whole file or an error that a person can understand, and the same again.
func checkRead(t *testing.T, raw []byte, read func(in *reading, text string) (File, error)) {
	t.Helper()
	if int64(len(raw)) > fuzzLimits.Bytes {
		return
	}
	try := func() (File, error) {
		text, _ := field.Decode(raw)
		f, err := read(&reading{limits: fuzzLimits, currency: "USD", options: Options{Limits: fuzzLimits, Currency: "USD"}}, text)
		if err != nil {
			return File{}, err
		}
		f.judge()
		return f, nil
	}
	f, err := try()
	again, err2 := try()
	if !reflect.DeepEqual(f, again) || (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
		t.Fatalf("two readings differ: %v, %v", err, err2)
	}
	if err != nil {
		checkError(t, err, raw)
		return
	}
	checkFile(t, f, strings.Count(string(raw), "\n")+strings.Count(string(raw), "\r")+1)
}

func checkError(t *testing.T, err error, raw []byte) {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Kind != fault.Invalid || !strings.HasPrefix(e.Phrase, "bankfile.") {
		t.Fatalf("no phrase: %v", err)
	}
	if refused := AsError(err); refused != nil && (refused.Row < 0 || refused.Row > bytes.Count(raw, []byte{'\n'})+bytes.Count(raw, []byte{'\r'})+2 || !utf8.ValidString(refused.Value)) {
		t.Fatalf("line %d, value %q", refused.Row, refused.Value)
	}
}

func checkFile(t *testing.T, f File, rows int) {
	t.Helper()
	total := 0
	for _, s := range f.Statements {
		if !s.Currency.Valid() {
			t.Fatalf("currency %q", s.Currency)
		}
		for _, line := range s.Lines {
			if total++; line.Row < 1 || line.Row > rows {
				t.Fatalf("line %d of %d", line.Row, rows)
			}
			if !line.Pending && !field.Valid(line.BookedOn) {
				t.Fatalf("day %v", line.BookedOn)
			}
			for _, text := range []string{line.Text, line.Reference, line.BankID} {
				if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || utf8.RuneCountInString(text) > 500 || text != strings.TrimSpace(text) {
					t.Fatalf("text %q", text)
				}
			}
		}
		if difference, known := s.Difference(); known {
			found := false
			for _, finding := range f.Findings {
				found = found || finding.Kind == Imbalance && finding.Amount == difference
			}
			if found != (difference != 0) {
				t.Fatalf("difference %d, findings %+v", difference, f.Findings)
			}
		}
		if d := Compare(nil, s.Lines); len(d.New)+len(d.Pending) != len(s.Lines) || len(Compare(d.New, s.Lines).New) != 0 {
			t.Fatal("a second reading adds lines")
		}
	}
	if total > fuzzLimits.Lines {
		t.Fatalf("%d lines", total)
	}
}

func FuzzOFX(f *testing.F) {
	seed(f, "ofx")
	f.Fuzz(func(t *testing.T, raw []byte) {
		checkRead(t, raw, func(in *reading, text string) (File, error) { return in.readOFX(text) })
	})
}

func FuzzCamt(f *testing.F) {
	seed(f, "camt")
	f.Fuzz(func(t *testing.T, raw []byte) {
		checkRead(t, raw, func(in *reading, text string) (File, error) { return in.readCamt(text) })
	})
}

func FuzzBAI2(f *testing.F) {
	seed(f, "bai2")
	f.Fuzz(func(t *testing.T, raw []byte) {
		checkRead(t, raw, func(in *reading, text string) (File, error) { return in.readBAI2(text) })
	})
}

// FuzzCSV also reads a file of an unknown layout by the guess, after it went through JSON, and by the layout that was used.
func FuzzCSV(f *testing.F) {
	seed(f, "csv", "other")
	f.Fuzz(func(t *testing.T, raw []byte) {
		var asked *Layout
		read := func(in *reading, text string) (File, error) {
			file, err := in.readCSV(text, "x.csv")
			if ask, order := AsAsk(err); ask != nil {
				guess := ask.Guess
				asked = &guess
			} else if order != nil {
				asked = &order.Layout
			}
			return file, err
		}
		checkRead(t, raw, read)
		if asked == nil || asked.Check() != nil {
			return
		}
		stored, err := json.Marshal(asked)
		if err != nil {
			t.Fatal(err)
		}
		var layout Layout
		if err := json.Unmarshal(stored, &layout); err != nil || !reflect.DeepEqual(layout, *asked) {
			t.Fatalf("%s: %v", stored, err)
		}
		if layout.DateOrder == "" {
			layout.DateOrder = field.MonthFirst
		}
		checkRead(t, raw, func(in *reading, text string) (File, error) {
			in.options.Layout = &layout
			file, err := in.readCSV(text, "x.csv")
			if ask, order := AsAsk(err); ask != nil || order != nil {
				t.Fatalf("asked again: %v", err)
			}
			return file, err
		})
	})
}

// FuzzRead reads bytes of any format as an upload.
func FuzzRead(f *testing.F) {
	seed(f, "ofx", "camt", "bai2", "csv", "other")
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, err := Read(bytes.NewReader(raw), "x", Options{Limits: fuzzLimits})
		if err != nil {
			checkError(t, err, raw)
			return
		}
		checkFile(t, file, bytes.Count(raw, []byte{'\n'})+bytes.Count(raw, []byte{'\r'})+1)
	})
}
