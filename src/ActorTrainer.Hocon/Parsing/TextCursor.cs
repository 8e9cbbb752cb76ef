using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon.Parsing;

/// <summary>A position in a text that knows its line and column.</summary>
internal sealed class TextCursor(string text, string source, string? folder)
{
    public const char End = '\0';

    private readonly string _text = text;
    private readonly string _source = source;
    private readonly string? _folder = folder;
    private int _position;
    private int _line = 1;
    private int _lineStart;

    public bool AtEnd => _position >= _text.Length;

    public char Current => AtEnd ? End : _text[_position];

    public ConfigOrigin Here => new(_source, _line, _position - _lineStart + 1) { Folder = _folder };

    public bool LooksAt(string expected) => string.CompareOrdinal(_text, _position, expected, 0, expected.Length) == 0;

    public char Peek(int offset) => _position + offset < _text.Length ? _text[_position + offset] : End;

    public void Advance()
    {
        if (_text[_position++] == '\n')
        {
            _line++;
            _lineStart = _position;
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
    public (int Position, int Line, int LineStart) Mark() => (_position, _line, _lineStart);

    public void Return((int Position, int Line, int LineStart) mark) => (_position, _line, _lineStart) = mark;

    public string TextSince((int Position, int Line, int LineStart) mark) => _text[mark.Position.._position];

    /// <summary>White space within a line.</summary>
    public static bool IsBlank(char c) => c != '\n' && (char.IsWhiteSpace(c) || c is '\uFEFF' or (>= '\u001C' and <= '\u001F'));

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
    public string Describe() => AtEnd ? "the end of the text" : Current == '\n' ? "the end of the line" : $"'{Current}'";
}
