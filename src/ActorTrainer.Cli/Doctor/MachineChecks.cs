using System.Runtime.InteropServices;
using ActorTrainer.Cli.Output;

namespace ActorTrainer.Cli.Doctor;

/// <summary>Checks the machine: runtime, SDK, Python, folders, disk, clock.</summary>
internal static class MachineChecks
{
    private const long LowDiskBytes = 10L << 30;
    private const long NoDiskBytes = 1L << 30;
    private static readonly TimeSpan SlowSync = TimeSpan.FromMilliseconds(100);
    private static readonly string[] NetworkFileSystems =
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "ceph",
        "glusterfs",
        "lustre",
        "beegfs",
        "afs",
        "fuse.sshfs",
        "fuse.s3fs",
        "fuse.glusterfs",
    ];

    public static Finding Runtime() =>
        System.Environment.Version.Major >= 10
            ? new Finding("runtime", Level.Ok, $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}")
            : new Finding("runtime", Level.Fail, RuntimeInformation.FrameworkDescription, "install the .NET 10 runtime");

    public static Finding OperatingSystemName() =>
        RuntimeInformation.IsOSPlatform(OSPlatform.Linux)
            ? new Finding("system", Level.Ok, $"{RuntimeInformation.OSDescription}, {System.Environment.ProcessorCount} processors")
            : new Finding(
                "system",
                Level.Warn,
                RuntimeInformation.OSDescription,
                "workers are only kept from outliving their node on Linux"
            );

    public static async Task<Finding> SdkAsync(CancellationToken cancellationToken)
    {
        (bool started, int code, string output) = await Tool.RunAsync("dotnet", ["--version"], cancellationToken);
        return started && code == 0
            ? new Finding("sdk", Level.Ok, $".NET SDK {output}")
            : new Finding("sdk", Level.Warn, "no .NET SDK", "only needed to build trainers in C#: https://dot.net");
    }

    public static async Task<Finding> PythonAsync(CancellationToken cancellationToken)
    {
        const string Script =
            "import sys\ntry:\n import torch; t='torch '+torch.__version__\nexcept ImportError: t='no torch'\n"
            + "print('Python '+sys.version.split()[0]+', '+t)";
        (bool started, int code, string output) = await Tool.RunAsync("python3", ["-c", Script], cancellationToken);
        return (started && code == 0, output.EndsWith("no torch", StringComparison.Ordinal)) switch
        {
            (true, false) => new Finding("python", Level.Ok, output),
            (true, true) => new Finding(
                "python",
                Level.Warn,
                output,
                "for PyTorch tasks: apt-get install python3-torch, or pip install torch"
            ),
            _ => new Finding("python", Level.Warn, "no python3", "for Python tasks: apt-get install python3"),
        };
    }

    public static Finding Clock(DateTimeOffset now) =>
        now.Year is >= 2025 and < 2100
            ? new Finding(
                "clock",
                Level.Ok,
                now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture)
            )
            : new Finding(
                "clock",
                Level.Warn,
                $"the year is {now.Year}",
                "set the clock (times of events are shown wrong; training is not affected)"
            );

    /// <summary>Whether files can be written and synced in the folder of a setting, on what file system, and how long it takes.</summary>
    public static Finding Folder(string check, string path, string setting, bool localOnly, TimeProvider time)
    {
        string existing = ExistingPart(path);
        string fileSystem = FileSystemOf(existing);
        if (localOnly && NetworkFileSystems.Contains(fileSystem))
        {
            return new Finding(
                check,
                Level.Fail,
                $"{path} is on a network file system ({fileSystem})",
                "the journal needs a local disk: set actortrainer.journal.path"
            );
        }

        string probe = Path.Combine(existing, $".actortrainer-doctor-{System.Environment.ProcessId}");
        try
        {
            long start = time.GetTimestamp();
            using (FileStream file = new(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose))
            {
                file.Write(new byte[4096]);
                file.Flush(flushToDisk: true);
            }

            TimeSpan took = time.GetElapsedTime(start);
            string found = $"{path} ({fileSystem}), a synced write takes {took.TotalMilliseconds:0.0} ms";
            return took < SlowSync
                ? new Finding(check, Level.Ok, found)
                : new Finding(check, Level.Warn, found, "a slow disk delays every journaled event; use a faster one");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new Finding(
                check,
                Level.Fail,
                $"{path} cannot be written: {e.Message.TrimEnd('.')}",
                $"give another folder with {setting}, or its rights"
            );
        }
    }

    public static Finding Disk(string path)
    {
        DriveInfo drive = new(ExistingPart(path));
        string found = $"{Human.Bytes(drive.AvailableFreeSpace)} free of {Human.Bytes(drive.TotalSize)}";
        return drive.AvailableFreeSpace switch
        {
            < NoDiskBytes => new Finding("disk", Level.Fail, found, "checkpoints will not fit; free some space"),
            < LowDiskBytes => new Finding("disk", Level.Warn, found, "checkpoints of large models may not fit"),
            _ => new Finding("disk", Level.Ok, found),
        };
    }

    private static string ExistingPart(string path)
    {
        string? folder = path;
        while (folder is not null && !Directory.Exists(folder))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? Path.GetPathRoot(path) ?? "/";
    }

    private static string FileSystemOf(string folder)
    {
        if (!File.Exists("/proc/mounts"))
        {
            return new DriveInfo(folder).DriveFormat;
        }

        // The mount whose point is the longest prefix; of several on one point the last one covers the others.
        string best = "";
        string type = "unknown";
        foreach (string line in File.ReadLines("/proc/mounts"))
        {
            string[] parts = line.Split(' ');
            string point = parts[1].Replace("\\040", " ", StringComparison.Ordinal);
            bool covers = point == "/" || folder == point || folder.StartsWith(point + "/", StringComparison.Ordinal);
            if (covers && point.Length >= best.Length)
            {
                (best, type) = (point, parts[2]);
            }
        }

        return type;
    }
}
