using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;

namespace ActorTrainer.Client;

/// <summary>Whose process listens on a port of this machine: a secret of this user is told to no other user's.</summary>
internal static partial class ListenerOwner
{
    private const string Listening = "0A";
    private const int AddressField = 1;
    private const int StateField = 3;
    private const int UserField = 7;

    /// <summary>Whether another user's process listens there. False where that cannot be told, as on other systems than Linux.</summary>
    /// <param name="host">An address or a name of loopback.</param>
    /// <param name="port">The port.</param>
    public static bool IsAnother(string host, int port)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        uint own = EffectiveUser();
        return Users("/proc/net/tcp", host, port).Concat(Users("/proc/net/tcp6", host, port)).Any(user => user != own);
    }

    private static List<uint> Users(string table, string host, int port)
    {
        try
        {
            return [.. UsersOf(File.ReadLines(table), host, port)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>The users whose processes listen on the port, at this address or at all.</summary>
    /// <param name="table">The lines of <c>/proc/net/tcp</c> or <c>tcp6</c>, see proc(5).</param>
    /// <param name="host">An address; of a name every address counts.</param>
    /// <param name="port">The port.</param>
    internal static IEnumerable<uint> UsersOf(IEnumerable<string> table, string host, int port)
    {
        string? address = IPAddress.TryParse(host, out IPAddress? parsed) ? Hexadecimal(parsed) : null;
        foreach (string line in table)
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (
                fields.Length > UserField
                && fields[StateField] == Listening
                && fields[AddressField].Split(':') is [string at, string number]
                && int.TryParse(number, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out int bound)
                && bound == port
                && (address is null || at == address || at.All(c => c == '0'))
                && uint.TryParse(fields[UserField], NumberStyles.None, CultureInfo.InvariantCulture, out uint user)
            )
            {
                yield return user;
            }
        }
    }

    /// <summary>As the kernel prints it: words of four bytes, each by the machine's own order.</summary>
    private static string Hexadecimal(IPAddress address) =>
        string.Concat(
            address
                .GetAddressBytes()
                .Chunk(sizeof(uint))
                .Select(word => BitConverter.ToUInt32(word).ToString("X8", CultureInfo.InvariantCulture))
        );

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();
}
