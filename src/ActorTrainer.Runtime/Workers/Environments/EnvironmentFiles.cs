using System.Text;
using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Workers.Environments;

/// <summary>What an environment needs of files on the node.</summary>
internal static class EnvironmentFiles
{
    /// <summary>The Python of a virtual environment.</summary>
    /// <exception cref="UnpreparedException">The node does not have it.</exception>
    public static string PythonOf(string venv)
    {
        string python = Path.Combine(venv, "bin", "python");
        return File.Exists(python) && Posix.IsExecutable(python)
            ? python
            : throw new UnpreparedException(
                $"The virtual environment '{venv}' is not on this node, or its bin/python leads nowhere: make it "
                    + $"(python3 -m venv {venv}), or change the task.",
                nodeUnfit: true
            );
    }

    /// <summary>The content of a task's requirements; null: it has none.</summary>
    /// <param name="spec">The task.</param>
    /// <param name="folder">Its working directory on this node.</param>
    /// <exception cref="UnpreparedException">There is no such file; in a bundle that is the task's fault, elsewhere the node's.</exception>
    public static string? ReadRequirements(TaskSpec spec, string folder)
    {
        if (spec.NodeEnvironment?.Requirements is not { } requirements)
        {
            return null;
        }

        string path = Path.GetFullPath(requirements, folder);
        bool bundled = spec.WorkingDirectory is null && !Path.IsPathRooted(requirements);
        string file = Posix.RealPath(path) ?? path;
        if (!File.Exists(file) || FileStatus.Read(file).Kind != FileKind.File)
        {
            throw new UnpreparedException(
                Path.Exists(file)
                        ? $"The requirements '{path}' are {(Directory.Exists(file) ? "a folder" : "no regular file")} on this node: "
                            + "name the file in the task."
                    : bundled ? $"The requirements '{requirements}' are not in the task's bundle: put them there, or name another file."
                    : $"The requirements '{path}' do not exist on this node: put them there, or change the task.",
                nodeUnfit: !bundled
            );
        }

        try
        {
            return File.ReadAllText(file, Encoding.UTF8);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UnpreparedException($"The requirements '{path}' cannot be read on this node: {e.Message}", nodeUnfit: !bundled);
        }
    }
}
