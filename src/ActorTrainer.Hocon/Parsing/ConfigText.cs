using System.Text;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon.Parsing;

/// <summary>Reads the text of a configuration file.</summary>
internal static class ConfigText
{
    /// <summary>A larger file is taken for a mistake (a data file given as configuration).</summary>
    public const long MaxBytes = 16 << 20;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="ConfigException">The file is missing, not readable, too large or not UTF-8.</exception>
    public static string ReadFile(string path)
    {
        if (string.IsNullOrWhiteSpace(path) || path.Contains('\0', StringComparison.Ordinal))
        {
            throw new ConfigException(
                new ConfigOrigin($"'{path}'", 0, 0),
                "this is not the name of a file. Name a configuration file, for example node.conf."
            );
        }

        ConfigOrigin origin = new(path, 0, 0);
        byte[] bytes;
        try
        {
            if (Directory.Exists(path))
            {
                throw new ConfigException(origin, "this is a folder. Name the configuration file in it.");
            }

            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            bytes = ReadAtMost(file, origin);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ConfigException(
                origin,
                $"this file does not exist (looked for {Path.GetFullPath(path)}). Correct the path or create the file."
            );
        }
        catch (UnauthorizedAccessException)
        {
            throw new ConfigException(origin, "this file may not be read. Give the user that runs this program the right to read it.");
        }
        catch (IOException e)
        {
            throw new ConfigException(origin, $"this file could not be read: {e.Message} Check the file and its disk.");
        }

        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            ReadOnlySpan<byte> before = bytes.AsSpan(0, Math.Clamp(e.Index, 0, bytes.Length));
            int line = before.Count((byte)'\n') + 1;
            int column =
                Encoding.UTF8.GetString(before[(before.LastIndexOf((byte)'\n') + 1)..]).TrimStart('\uFEFF').EnumerateRunes().Count() + 1;
            throw new ConfigException(
                new ConfigOrigin(path, line, column),
                "there is a byte here that is not UTF-8. Save the file as UTF-8."
            );
        }
    }

    private static byte[] ReadAtMost(FileStream file, ConfigOrigin origin)
    {
        // Copied by hand, not by length: a pipe such as /dev/stdin has none.
        using MemoryStream copy = new();
        byte[] buffer = new byte[64 * 1024];
        for (int read; (read = file.Read(buffer)) > 0; )
        {
            copy.Write(buffer, 0, read);
            if (copy.Length > MaxBytes)
            {
                throw new ConfigException(
                    origin,
                    $"this file is larger than {MaxBytes >> 20} MiB and hardly a configuration. Check the path."
                );
            }
        }

        return copy.ToArray();
    }
}
