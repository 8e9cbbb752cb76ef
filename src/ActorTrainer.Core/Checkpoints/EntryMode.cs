namespace ActorTrainer.Core.Checkpoints;

/// <summary>Unix permission bits as people write them: three octal digits.</summary>
public static class EntryMode
{
    private const int Permissions = 0b111_111_111;

    /// <summary>The digits of permission bits; other bits are left out.</summary>
    public static string Format(int mode) => Convert.ToString(mode & Permissions, 8).PadLeft(3, '0');

    /// <summary>Whether the text is three octal digits, and their value.</summary>
    public static bool TryParse(string text, out int mode)
    {
        mode = 0;
        if (text.Length != 3)
        {
            return false;
        }

        foreach (char c in text)
        {
            if (c is < '0' or > '7')
            {
                return false;
            }

            mode = (mode * 8) + (c - '0');
        }

        return true;
    }
}
