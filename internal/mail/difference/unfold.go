package difference

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"

	"konbit/internal/platform/deflate"
)

// An unfolded message is a sequence of parts: a kind, a length, and so many bytes.
const (
	asIs       = 'r' // the bytes
	inBase64   = 'b' // a sequence of parts, whose bytes are encoded
	inQuoted   = 'q' // the bytes before they are encoded as quoted-printable
	compressed = 'z' // the bytes before package deflate compresses them
)

func appendPart(to []byte, kind byte, content []byte) []byte {
	if len(content) == 0 && kind == asIs {
		return to
	}
	return append(binary.AppendUvarint(append(to, kind), uint64(len(content))), content...)
}

const encodingField = "\r\nContent-Transfer-Encoding: "

// unfold returns a message as parts. known are streams whose content is known, and that fold knows too.
func unfold(message []byte, known *streams) (parts []byte) {
	parts = make([]byte, 0, 2*len(message))
	for at := 0; ; {
		n := bytes.Index(message[at:], []byte(encodingField))
		if n < 0 {
			return appendPart(parts, asIs, message)
		}
		at += n + len(encodingField)
		value := message[at:]
		isBase64 := bytes.HasPrefix(value, []byte("base64\r\n"))
		head := bytes.Index(value, []byte("\r\n\r\n"))
		if head < 0 || !isBase64 && !bytes.HasPrefix(value, []byte("quoted-printable\r\n")) {
			continue
		}
		body := at + head + 4
		end := len(message)
		if n := bytes.Index(message[body:], []byte("\r\n--")); n >= 0 {
			end = body + n
		}
		parts = appendPart(parts, asIs, message[:body])
		parts = appendBody(parts, message[body:end], isBase64, known)
		message, at = message[end:], 0
	}
}

func appendBody(parts, body []byte, isBase64 bool, known *streams) []byte {
	end := len(body)
	for end > 0 && (body[end-1] == '\r' || body[end-1] == '\n') {
		end--
	}
	text, rest := body[:end], body[end:]
	if isBase64 {
		content, err := base64.StdEncoding.DecodeString(string(bytes.ReplaceAll(text, []byte("\r\n"), nil)))
		if err == nil && len(content) > 0 && bytes.Equal(lines(content), text) {
			parts = appendPart(parts, inBase64, unfoldPDF(content, known))
			return appendPart(parts, asIs, rest)
		}
	} else if content := unquote(text); content != nil && bytes.Equal(quote(content), text) {
		parts = appendPart(parts, inQuoted, content)
		return appendPart(parts, asIs, rest)
	}
	return appendPart(parts, asIs, body)
}

// unfoldPDF returns a document as parts. The streams of package deflate are in it as they were before.
func unfoldPDF(document []byte, known *streams) (parts []byte) {
	const begin = ">>\nstream\n"
	for at := 0; ; {
		n := bytes.Index(document[at:], []byte(begin))
		if n < 0 {
			return appendPart(parts, asIs, document)
		}
		digits := document[:at+n]
		at += n + len(begin)
		length, err := strconv.Atoi(string(digits[1+bytes.LastIndexByte(digits, ' '):]))
		if err != nil || length < 0 || length > len(document)-at {
			continue
		}
		content := known.expand(document[at : at+length])
		if content == nil {
			continue
		}
		parts = appendPart(parts, asIs, document[:at])
		parts = appendPart(parts, compressed, content)
		document, at = document[at+length:], 0
	}
}

// streams are the streams of a model, which most emails share: its fonts. They are compressed once.
type streams struct {
	contents map[string][]byte // by stream
	packed   map[string][]byte // by content
}

// expand returns the content of a stream; nil if package deflate does not compress it to the same stream.
func (s *streams) expand(stream []byte) []byte {
	if content, ok := s.contents[string(stream)]; ok {
		return content
	}
	if !bytes.HasPrefix(stream, []byte(deflate.Mark)) {
		return nil
	}
	content := deflate.Expand(stream)
	if content == nil || !bytes.Equal(deflate.Compress(content), stream) {
		return nil
	}
	return content
}

func (s *streams) compress(content []byte) []byte {
	if stream, ok := s.packed[string(content)]; ok {
		return stream
	}
	return deflate.Compress(content)
}

// keep keeps the large streams of an unfolded message.
func (s *streams) keep(parts []byte) {
	const large = 2 << 10
	s.contents, s.packed = map[string][]byte{}, map[string][]byte{}
	_ = each(parts, func(kind byte, content []byte) error {
		if kind == inBase64 {
			return each(content, func(kind byte, content []byte) error {
				if kind == compressed && len(content) >= large {
					stream := deflate.Compress(content)
					s.contents[string(stream)], s.packed[string(content)] = content, stream
				}
				return nil
			})
		}
		return nil
	}) // a text that is not a sequence of parts has no parts
}

// each calls do with each of some parts.
func each(parts []byte, do func(kind byte, content []byte) error) error {
	for len(parts) > 0 {
		n, used := binary.Uvarint(parts[1:])
		if used <= 0 || n > uint64(len(parts)-1-used) {
			return fmt.Errorf("%w: a part is not whole", ErrNotRestored)
		}
		if err := do(parts[0], parts[1+used:1+used+int(n)]); err != nil {
			return err
		}
		parts = parts[1+used+int(n):]
	}
	return nil
}

// fold returns the message of parts.
func fold(parts []byte, known *streams) (message []byte, err error) {
	message = make([]byte, 0, 2*len(parts))
	err = each(parts, func(kind byte, content []byte) error {
		switch kind {
		case asIs:
			message = append(message, content...)
		case compressed:
			message = append(message, known.compress(content)...)
		case inQuoted:
			message = append(message, quote(content)...)
		case inBase64:
			document, err := fold(content, known)
			if err != nil {
				return err
			}
			message = append(message, lines(document)...)
		default:
			return fmt.Errorf("%w: a part is of no known kind", ErrNotRestored)
		}
		return nil
	})
	return message, err
}

const lineLength = 76

// lines returns content in base64, as RFC 2045 breaks it.
func lines(content []byte) []byte {
	const perLine = lineLength / 4 * 3
	text := make([]byte, 0, len(content)*4/3+len(content)/perLine*2+8)
	for len(content) > perLine {
		text = append(base64.StdEncoding.AppendEncode(text, content[:perLine]), "\r\n"...)
		content = content[perLine:]
	}
	return base64.StdEncoding.AppendEncode(text, content)
}

// quote returns content as quoted-printable (RFC 2045, 6.7), as the composer of emails writes it. It never changes.
func quote(content []byte) []byte {
	const digits = "0123456789ABCDEF"
	text := make([]byte, 0, len(content)+len(content)/8)
	used := 0
	for i, b := range content {
		lineEnds := i+1 == len(content) || content[i+1] == '\n' || content[i+1] == '\r' && i+2 < len(content) && content[i+2] == '\n'
		switch {
		case b == '\n' || b == '\r' && i+1 < len(content) && content[i+1] == '\n':
			text, used = append(text, b), 0
			continue
		case b >= '!' && b <= '~' && b != '=' || (b == ' ' || b == '\t') && !lineEnds:
			if used == lineLength-1 {
				text, used = append(text, "=\r\n"...), 0
			}
			text, used = append(text, b), used+1
		default:
			if used > lineLength-4 {
				text, used = append(text, "=\r\n"...), 0
			}
			text, used = append(text, '=', digits[b>>4], digits[b&15]), used+3
		}
	}
	return text
}

// unquote returns the content of quoted-printable text; nil if it is not such text.
func unquote(text []byte) []byte {
	content := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '=' {
			content = append(content, text[i])
			continue
		}
		switch rest := text[i+1:]; {
		case bytes.HasPrefix(rest, []byte("\r\n")):
			i += 2
		case len(rest) < 2:
			return nil
		default:
			b, err := strconv.ParseUint(string(rest[:2]), 16, 8)
			if err != nil {
				return nil
			}
			content = append(content, byte(b))
			i += 2
		}
	}
	return content
}
