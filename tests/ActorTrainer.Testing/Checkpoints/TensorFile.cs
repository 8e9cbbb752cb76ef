using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace ActorTrainer.Testing.Checkpoints;

/// <summary>Safetensors files by another hand than the product's: <c>tensor_file.py</c>, which needs numpy alone.</summary>
public static class TensorFile
{
    private static readonly string Folder = FolderOf();

    /// <summary>A file that the script wrote: 2 × 3 values of every kind, a scalar, an empty tensor, an odd name.</summary>
    public static string EveryKind { get; } = Path.Combine(Folder, "every-kind.safetensors");

    /// <summary>Reads a file by the rules of the format: its metadata and its tensors, a line each.</summary>
    /// <exception cref="InvalidDataException">It breaks one of them.</exception>
    public static Task<IReadOnlyList<string>> ReadAsync(string file) => RunAsync("read", file);

    /// <summary>Writes what <see cref="EveryKind"/> has.</summary>
    public static Task WriteAsync(string file) => RunAsync("write", file);

    private static async Task<IReadOnlyList<string>> RunAsync(string command, string file)
    {
        string python = Environment.GetEnvironmentVariable("ACTORTRAINER_PYTHON") ?? "/usr/bin/python3";
        using Process process = Process.Start(
            new ProcessStartInfo(python, [Path.Combine(Folder, "tensor_file.py"), command, file])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            : throw new InvalidDataException(await error);
    }

    private static string FolderOf([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
