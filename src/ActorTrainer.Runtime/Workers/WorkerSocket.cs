using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using ActorTrainer.Training.Protocol;

namespace ActorTrainer.Runtime.Workers;

/// <summary>
/// The socket that workers connect to. A socket's path may have about a hundred bytes, a data directory any length: so it stands in a
/// short folder of its own, which only this user may enter, and whose name is noted in the data directory for the next life to remove.
/// </summary>
internal sealed class WorkerSocket : IAsyncDisposable
{
    private const int MaxPathBytes = 100;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly string _folder;
    private readonly string _note;
    private readonly Func<WorkerConnection, IReadOnlyList<WorkerMessage>, Task> _handle;
    private Task _accepting = Task.CompletedTask;

    private WorkerSocket(string folder, string note, Func<WorkerConnection, IReadOnlyList<WorkerMessage>, Task> handle)
    {
        _folder = folder;
        _note = note;
        _handle = handle;
        SocketPath = Path.Combine(folder, "s");
    }

    /// <summary>The value of <c>ACTORTRAINER_SOCKET</c>.</summary>
    public string SocketPath { get; }

    public static WorkerSocket Open(string dataDirectory, Func<WorkerConnection, IReadOnlyList<WorkerMessage>, Task> handle)
    {
        string note = Path.Combine(dataDirectory, "worker-socket");
        RemoveFormer(note);
        string folder = CreateFolder();
        WorkerSocket socket = new(folder, note, handle);
        File.WriteAllText(note, folder + "\n");
        socket._listener.Bind(new UnixDomainSocketEndPoint(socket.SocketPath));
        socket._listener.Listen(64);
        socket._accepting = Task.Run(socket.AcceptAsync);
        return socket;
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
        RunDirectories.DeleteFolder(_folder);
        File.Delete(_note);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptAsync();
                _ = new WorkerConnection(socket).RunAsync(_handle);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private static string CreateFolder()
    {
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException(WorkerHost.NoWindows);
        }

        string name = "at-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
        string?[] bases = [Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"), "/tmp", Path.GetTempPath()];
        foreach (string? place in bases)
        {
            if (string.IsNullOrEmpty(place) || Encoding.UTF8.GetByteCount(place) + name.Length + 4 > MaxPathBytes)
            {
                continue;
            }

            try
            {
                string folder = Path.Combine(place, name);
                _ = Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                return folder;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The next place.
            }
        }

        throw new WorkerHostException(
            "No folder for the workers' socket: neither $XDG_RUNTIME_DIR nor /tmp nor $TMPDIR can be written, or their paths are too long."
        );
    }

    private static void RemoveFormer(string note)
    {
        if (!File.Exists(note))
        {
            return;
        }

        string folder = File.ReadAllText(note).Trim();
        // Only what this class may have made.
        if (Path.GetFileName(folder).StartsWith("at-", StringComparison.Ordinal) && File.Exists(Path.Combine(folder, "s")))
        {
            RunDirectories.DeleteFolder(folder);
        }
    }
}
