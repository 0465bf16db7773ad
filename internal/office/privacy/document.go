package privacy

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Document is a copy of a person's data, written item by item while it is read.
type Document interface {
	// Item writes one object of a kind; data must encode as a JSON object.
	Item(kind string, data any) error
	End() error
}

// jsonDocument is one array of objects.
type jsonDocument struct {
	w io.Writer
	n int
}

// NewJSON returns a document that is a JSON array; each object says its kind: {"what": "gift", …}.
func NewJSON(w io.Writer) Document { return &jsonDocument{w: w} }

func (s *jsonDocument) Item(kind string, data any) error {
	text, err := json.Marshal(struct {
		What string `json:"what"`
		Data any    `json:"data"`
	}{kind, data})
	if err != nil {
		return err
	}
	before := ",\n"
	if s.n == 0 {
		before = "[\n"
	}
	s.n++
	_, err = fmt.Fprintf(s.w, "%s%s", before, text)
	return err
}

func (s *jsonDocument) End() error {
	if s.n == 0 {
		_, err := io.WriteString(s.w, "[]\n")
		return err
	}
	_, err := io.WriteString(s.w, "\n]\n")
	return err
}

// csvDocument has a row for each field.
type csvDocument struct {
	w *csv.Writer
	n int
}

// NewCSV returns a document that is a table of four columns: the number of the object, its kind, the field, the
// value. A spreadsheet reads no cell as a formula.
func NewCSV(w io.Writer) Document { return &csvDocument{w: csv.NewWriter(w)} }

func (s *csvDocument) Item(kind string, data any) error {
	if s.n == 0 {
		if err := s.w.Write([]string{"number", "what", "field", "value"}); err != nil {
			return err
		}
	}
	s.n++
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return err
	}
	err = flatten("", tree, func(field, value string) error {
		return s.w.Write([]string{strconv.Itoa(s.n), kind, CSVCell(field), CSVCell(value)})
	})
	s.w.Flush()
	return err
}

func (s *csvDocument) End() error {
	s.w.Flush()
	return s.w.Error()
}

// flatten calls leaf for each field of a JSON value. The name of a nested field has a dot between its parts.
func flatten(name string, v any, leaf func(field, value string) error) error {
	join := func(key string) string { return strings.TrimPrefix(name+"."+key, ".") }
	switch v := v.(type) {
	case nil:
		return nil
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if err := flatten(join(key), v[key], leaf); err != nil {
				return err
			}
		}
	case []any:
		for i, each := range v {
			if err := flatten(join(strconv.Itoa(i+1)), each, leaf); err != nil {
				return err
			}
		}
	default:
		return leaf(name, fmt.Sprint(v))
	}
	return nil
}

// CSVCell returns text that no spreadsheet reads as a formula (OWASP ASVS 5.0.0 V1.2.10): text that begins as a
// formula gets an apostrophe.
func CSVCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n\x00|%", rune(text[0])) || strings.HasPrefix(text, "＝") || strings.HasPrefix(text, "＋") || strings.HasPrefix(text, "－") || strings.HasPrefix(text, "＠") {
		return "'" + text
	}
	return text
}
