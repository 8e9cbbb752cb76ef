using System.Runtime.InteropServices;
using ActorTrainer.Training.Protocol;

namespace ActorTrainer.Training.Worker;

/// <summary>Gives a spare worker what another process gets when it is started: its run's environment and working directory.</summary>
internal static partial class WorkerAssignment
{
    /// <summary>Called before anything of the trainer is loaded; no other thread of this process looks at the environment then.</summary>
    /// <exception cref="IOException">The working directory cannot be entered.</exception>
    public static void Apply(InitMessage init)
    {
        foreach ((string name, string? value) in init.Environment ?? new Dictionary<string, string?>())
        {
            Environment.SetEnvironmentVariable(name, value);
            // .NET keeps a copy of the environment; a native library that the trainer loads asks the C library.
            if (!OperatingSystem.IsWindows())
            {
                _ = value is null ? UnsetEnvironment(name) : SetEnvironment(name, value, 1);
            }
        }

        if (init.WorkingDirectory is { } folder)
        {
            Environment.CurrentDirectory = folder;
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "unsetenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UnsetEnvironment(string name);
}
