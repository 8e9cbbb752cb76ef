using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon.Parsing;

/// <summary>
/// A position in a text that knows its line and column. A column is a character as an editor shows it, so an emoji is one.
/// </summary>
internal sealed class TextCursor
{
    public const char End = '\0';

    private readonly string _text;
    private readonly string _source;
    private readonly string? _folder;
    private int _position;
    private int _line = 1;

    /// <summary>The position at which the line would begin if all its characters up to here were one <see cref="char"/> long.</summary>
    private int _lineStart;

    public TextCursor(string text, string source, string? folder)
    {
        _text = text;
        _source = source;
        _folder = folder;

        // The mark of a UTF-8 file is not part of its first line.
        _position = _lineStart = text.StartsWith('\uFEFF') ? 1 : 0;
    }

    public bool AtEnd => _position >= _text.Length;

    public char Current => AtEnd ? End : _text[_position];

    public ConfigOrigin Here => new(_source, _line, _position - _lineStart + 1) { Folder = _folder };

    public bool LooksAt(string expected) => string.CompareOrdinal(_text, _position, expected, 0, expected.Length) == 0;

    public char Peek(int offset) => _position + offset < _text.Length ? _text[_position + offset] : End;

    public void Advance()
    {
        char passed = _text[_position++];
        if (passed == '\n')
        {
            _line++;
            _lineStart = _position;
        }
        else if (char.IsLowSurrogate(passed) && _position > 1 && char.IsHighSurrogate(_text[_position - 2]))
        {
            _lineStart++;
        }
    }

    public void Advance(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Advance();
        }
    }

    public bool TryTake(char expected)
    {
        if (AtEnd || Current != expected)
        {
            return false;
        }

        Advance();
        return true;
    }

    /// <summary>The rest of the text can be looked at from here and come back.</summary>
    public TextMark Mark() => new(_position, _line, _lineStart);

    public void Return(TextMark mark) => (_position, _line, _lineStart) = mark;

    public string TextSince(TextMark mark) => _text[mark.Position.._position];

    /// <summary>White space within a line: what Unicode calls a separator and the control characters of the HOCON specification.</summary>
    public static bool IsBlank(char c) =>
        c is not ('\n' or '\u0085') && (char.IsWhiteSpace(c) || c is '\uFEFF' or (>= '\u001C' and <= '\u001F'));

    public bool AtBlank => !AtEnd && IsBlank(Current);

    public bool AtComment => !AtEnd && (Current == '#' || (Current == '/' && Peek(1) == '/'));

    public void SkipBlanks()
    {
        while (AtBlank)
        {
            Advance();
        }
    }

    /// <summary>Skips white space, comments and line ends; says whether a line ended.</summary>
    public bool SkipToNext()
    {
        bool lineEnded = false;
        while (!AtEnd)
        {
            if (Current == '\n')
            {
                lineEnded = true;
                Advance();
            }
            else if (AtBlank)
            {
                Advance();
            }
            else if (AtComment)
            {
                while (!AtEnd && Current != '\n')
                {
                    Advance();
                }
            }
            else
            {
                break;
            }
        }

        return lineEnded;
    }

    /// <summary>How the current character is named in a message.</summary>
    public string Describe() =>
        Current switch
        {
            _ when AtEnd => "the end of the text",
            '\n' => "the end of the line",
            char c when char.IsControl(c) => FormattableString.Invariant($"the control character U+{(int)c:X4}"),
            char c when char.IsHighSurrogate(c) && char.IsLowSurrogate(Peek(1)) => $"'{c}{Peek(1)}'",
            char c => $"'{c}'",
        };
}
