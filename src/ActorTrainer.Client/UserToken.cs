using System.Security.Cryptography;

namespace ActorTrainer.Client;

/// <summary>
/// The token of the user that a program runs as. Every local user reaches loopback, and whoever reaches a node can run commands as its
/// user: so a node on loopback that was given no token wants this one, and clients of the same user find it by themselves.
/// </summary>
internal static class UserToken
{
    private const int Bytes = 32;
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others =
        UnixFileMode.GroupRead
        | UnixFileMode.GroupWrite
        | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead
        | UnixFileMode.OtherWrite
        | UnixFileMode.OtherExecute;

    /// <summary>Where it is: <c>actortrainer/token</c> in the user's folder for configuration, on Linux <c>~/.config</c>.</summary>
    public static string File =>
        Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify),
            "actortrainer",
            "token"
        );

    /// <summary>The token, or null where there is none or it cannot be read.</summary>
    public static string? Read() => Read(File);

    internal static string? Read(string file)
    {
        try
        {
            return System.IO.File.ReadAllText(file).Trim() is { Length: > 0 } token ? token : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The token, made when there is none.</summary>
    /// <exception cref="IOException">It cannot be made or read, or others can read it; with what to do.</exception>
    public static string ReadOrCreate() => ReadOrCreate(File);

    internal static string ReadOrCreate(string file)
    {
        try
        {
            if (!System.IO.File.Exists(file))
            {
                Create(file);
            }

            Check(file);
            string token = System.IO.File.ReadAllText(file).Trim();
            return token.Length > 0 ? token : throw new IOException($"{file} is empty: delete it, and a new one is made");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            const string Advice =
                "A node on loopback wants its user's token from whoever asks it. Set actortrainer.security.token-file to a file of your "
                + "own, or, where every user of this machine may run commands as this one, "
                + "actortrainer.security.allow-anonymous-loopback = true.";
            throw new IOException($"{e.Message.TrimEnd('.')}. {Advice}", e);
        }
    }

    /// <summary>Complete from the moment that it has its name; of several programs that make one at once, one wins.</summary>
    private static void Create(string file)
    {
        _ = Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        string temporary = $"{file}.{Path.GetRandomFileName()}";
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = Private;
        }

        try
        {
            using (StreamWriter writer = new(temporary, options))
            {
                writer.WriteLine(Convert.ToBase64String(RandomNumberGenerator.GetBytes(Bytes)));
            }

            System.IO.File.Move(temporary, file, overwrite: false);
        }
        catch (IOException) when (System.IO.File.Exists(file))
        {
            System.IO.File.Delete(temporary);
        }
    }

    private static void Check(string file)
    {
        if (!OperatingSystem.IsWindows() && (System.IO.File.GetUnixFileMode(file) & Others) != UnixFileMode.None)
        {
            throw new IOException($"other users may read or write {file}: chmod 600 it, or delete it for a new one");
        }
    }
}
