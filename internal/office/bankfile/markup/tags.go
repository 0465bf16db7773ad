package markup

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Tag is a tag of an OFX file with the text after it. In SGML the text ends where the next tag begins, and the end tag
// of an element with text may be missing.
type Tag struct {
	Name string // in capitals, without a namespace prefix
	End  bool   // </NAME>
	Text string // text between this tag and the next one, without entities and without spaces around it
	Row  int    // line of the file
}

// Tags divides an OFX file into tags. It takes what banks write: an end tag or none, tags that are closed at once
// (<MEMO/>), comments, CDATA, "<" in a text where no tag begins, entities that are encoded twice.
type Tags struct {
	rest string
	row  int
}

// NewTags returns the tags of a text.
func NewTags(text string) *Tags { return &Tags{rest: text, row: 1} }

// Row returns the line of the file that is reached.
func (t *Tags) Row() int { return t.row }

// Next returns the next tag; ok is false at the end of the file.
func (t *Tags) Next() (token Tag, ok bool) {
	for {
		i := tagAt(t.rest, 0)
		if i < 0 {
			return Tag{}, false
		}
		t.skip(i)
		if strings.HasPrefix(t.rest, "<!--") {
			t.skip(until(t.rest, "-->"))
			continue
		}
		end := strings.IndexByte(t.rest, '>')
		if end < 0 {
			return Tag{}, false
		}
		tag := t.rest[1:end]
		token.Row = t.row
		t.skip(end + 1)
		if tag[0] == '?' || tag[0] == '!' {
			continue
		}
		token.Name, token.End = tagName(tag)
		if !strings.HasSuffix(tag, "/") {
			token.Text = t.text()
		}
		return token, true
	}
}

// tagName returns the name in a tag, and whether the tag is an end tag.
func tagName(tag string) (name string, end bool) {
	name, end = strings.CutPrefix(tag, "/")
	name = strings.TrimSuffix(name, "/")
	if i := strings.IndexAny(name, " \t\n"); i >= 0 {
		name = name[:i]
	}
	if i := strings.IndexByte(name, ':'); i >= 0 {
		name = name[i+1:]
	}
	return strings.ToUpper(name), end
}

// text takes the text up to the next tag.
func (t *Tags) text() string {
	var whole strings.Builder
	for {
		i := tagAt(t.rest, 0)
		if i < 0 {
			i = len(t.rest)
		}
		whole.WriteString(unescape(t.rest[:i]))
		t.skip(i)
		switch {
		case strings.HasPrefix(t.rest, "<![CDATA["):
			end := until(t.rest, "]]>")
			whole.WriteString(strings.TrimSuffix(t.rest[len("<![CDATA["):max(end, len("<![CDATA["))], "]]>"))
			t.skip(end)
		case strings.HasPrefix(t.rest, "<!--"):
			t.skip(until(t.rest, "-->"))
		default:
			return strings.TrimSpace(whole.String())
		}
	}
}

// skip moves the reader forward and counts lines.
func (t *Tags) skip(n int) {
	t.row += strings.Count(t.rest[:n], "\n")
	t.rest = t.rest[n:]
}

// until returns the place after the first end in the text, or the text's length.
func until(text, end string) int {
	if i := strings.Index(text, end); i >= 0 {
		return i + len(end)
	}
	return len(text)
}

// tagAt returns the place where the next tag begins: "<" with a letter, "/", "!" or "?" after it, and a ">" before the next
// "<" or the end of the line.
func tagAt(text string, from int) int {
	for i := from; i < len(text); i++ {
		j := strings.IndexByte(text[i:], '<')
		if j < 0 {
			return -1
		}
		i += j
		if i+1 == len(text) {
			return -1
		}
		if strings.HasPrefix(text[i:], "<!") || text[i+1] == '?' {
			return i
		}
		first := text[i+1]
		if first == '/' && i+2 < len(text) {
			first = text[i+2]
		}
		if first >= 'a' && first <= 'z' || first >= 'A' && first <= 'Z' {
			if end := strings.IndexAny(text[i+1:min(len(text), i+200)], "<>"); end >= 0 && text[i+1+end] == '>' {
				return i
			}
		}
	}
	return -1
}

var entities = map[string]string{"amp": "&", "lt": "<", "gt": ">", "quot": `"`, "apos": "'", "nbsp": " "}

// unescape replaces entities twice, because some banks encode their texts twice (&amp;amp;). What is no entity stays.
func unescape(text string) string { return unescapeOnce(unescapeOnce(text)) }

func unescapeOnce(text string) string {
	i := strings.IndexByte(text, '&')
	if i < 0 {
		return text
	}
	var b strings.Builder
	for ; i >= 0; i = strings.IndexByte(text, '&') {
		b.WriteString(text[:i])
		text = text[i:]
		end := strings.IndexByte(text[:min(len(text), 12)], ';')
		if end > 1 {
			if plain, known := entity(text[1:end]); known {
				b.WriteString(plain)
				text = text[end+1:]
				continue
			}
		}
		b.WriteByte('&')
		text = text[1:]
	}
	b.WriteString(text)
	return b.String()
}

// entity returns the text of an entity.
func entity(name string) (string, bool) {
	if plain, known := entities[strings.ToLower(name)]; known {
		return plain, true
	}
	if name[0] != '#' {
		return "", false
	}
	base, digits := 10, name[1:]
	if strings.HasPrefix(digits, "x") || strings.HasPrefix(digits, "X") {
		base, digits = 16, digits[1:]
	}
	code, err := strconv.ParseUint(digits, base, 21)
	if err != nil || code == 0 || !utf8.ValidRune(rune(code)) {
		return "", false
	}
	return string(rune(code)), true
}
