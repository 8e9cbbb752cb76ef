using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon;

/// <summary>Reads the file with the shared secret.</summary>
internal static class TokenFile
{
    private const int MinLength = 16;
    private const int MaxLength = 4096;

    /// <param name="path">The file, absolute.</param>
    /// <param name="origin">Where the user named it.</param>
    /// <exception cref="ConfigException">The file cannot be read, or what it holds is no token.</exception>
    public static string Read(string path, ConfigOrigin origin)
    {
        string token;
        try
        {
            using StreamReader reader = new(path);
            char[] buffer = new char[MaxLength + 3];
            token = new string(buffer, 0, reader.ReadBlock(buffer)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException(
                origin,
                $"actortrainer.security.token-file {path} could not be read: "
                    + $"{e.Message} Create it (head -c 32 /dev/urandom | base64 > {path}) or correct the path."
            );
        }

        // The token travels in an HTTP header.
        return token.Length is >= MinLength and <= MaxLength && token.All(c => c is > ' ' and <= '~')
            ? token
            : throw new ConfigException(
                origin,
                $"actortrainer.security.token-file {path} does not hold a token: "
                    + $"it needs {MinLength} to {MaxLength} printable characters without white space, for example from head -c 32 "
                    + "/dev/urandom | base64."
            );
    }
}
