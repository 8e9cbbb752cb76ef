using System.Text;
using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Workers;

/// <summary>
/// Reads the secret values of a task's environment when a run starts. No message of it holds anything that stands in such a file.
/// </summary>
internal static class SecretFiles
{
    /// <summary>Bytes of a value: half of what Linux takes as one variable.</summary>
    public const int MaxBytes = 64 << 10;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Adds the values, each without the newline at its end; on failure a sentence that names the variable and its file.</summary>
    public static string? AddTo(IDictionary<string, string> environment, IReadOnlyDictionary<string, string>? secrets)
    {
        foreach ((string name, string source) in secrets ?? new Dictionary<string, string>())
        {
            if (SecretSource.PathOf(source) is not { } path)
            {
                return $"The secret of the variable {name} is not in a file with an absolute path: change the task.";
            }

            try
            {
                environment[name] = Read(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or DecoderFallbackException)
            {
                return $"The variable {name} has its secret in {path}, {Reason(e)}: put it there on this node, or change the task.";
            }
        }

        return null;
    }

    private static string Read(string path)
    {
        string file = Posix.RealPath(path) ?? path;
        if (FileStatus.Read(file).Kind != FileKind.File)
        {
            throw new InvalidSecretException("which is not a file");
        }

        using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        byte[] bytes = new byte[MaxBytes + 1];
        int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (length > MaxBytes)
        {
            throw new InvalidSecretException($"which holds more than {MaxBytes >> 10} KiB");
        }

        string text = Strict.GetString(bytes, 0, length);
        text = text[
            ..^(
                text.EndsWith("\r\n", StringComparison.Ordinal) ? 2
                : text.EndsWith('\n') ? 1
                : 0
            )
        ];
        return text.Contains('\0', StringComparison.Ordinal)
            ? throw new InvalidSecretException("which holds a zero character that no environment can")
            : text;
    }

    private static string Reason(Exception e) =>
        e switch
        {
            InvalidSecretException => e.Message,
            FileNotFoundException or DirectoryNotFoundException => "which does not exist on this node",
            UnauthorizedAccessException => "which this node's user may not read",
            DecoderFallbackException => "which is not UTF-8 text",
            _ => "which cannot be read on this node",
        };

    private sealed class InvalidSecretException(string message) : IOException(message);
}
